package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// misspelt are variables that look like one of ours, or of libpq's, and are none, as KEEP_DAILYS,
// and what is meant. What only resembles ours may well be another program's, so this is for
// warnings.
func misspelt(environ map[string]string) map[string]string {
	known := map[string]bool{}
	for _, s := range settings() {
		known[s.env] = true
	}
	for _, variable := range postgres.Variables {
		known[variable] = true
	}
	found := map[string]string{}
	for name, value := range environ {
		if value == "" || isServiceLink(value) || known[name] || known[strings.TrimSuffix(name, "_FILE")] || len(name) < 6 {
			continue
		}
		most := 2 // letters wrong
		if prefix, _, _ := strings.Cut(name, "_"); slices.Contains([]string{"KEEP", "WEBHOOK", "CRON"}, prefix) {
			most = 3
		}
		if meant := nearest(name, known, most); meant != "" {
			found[name] = meant
		}
	}
	return found
}

// questions asks about variables that are none of this program's, each with what may be meant.
func questions(found map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, fmt.Sprintf("%s is not a variable of this program; did you mean %s?", name, found[name]))
	}
	return all
}

// nearest is the known name that begins with name, or else is closest to it; it is empty if none is
// within most letters.
func nearest(name string, known map[string]bool, most int) string {
	best := ""
	for _, other := range slices.Sorted(maps.Keys(known)) {
		if strings.HasPrefix(other, name+"_") && strings.Contains(name, "_") {
			return other
		}
		if d := distance(name, other); d <= most {
			best, most = other, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, remove or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

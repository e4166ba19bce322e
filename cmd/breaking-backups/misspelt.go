package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// misspelt are variables that look like one of ours, or of libpq's, and are none, as KEEP_DAILYS,
// and what is meant. What only resembles ours may well be another program's, so this is for
// warnings.
func misspelt(environ map[string]string) map[string]string {
	known := map[string]bool{}
	for _, s := range ownSettings().Settings {
		known[s.Env] = true
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
		if meant := settings.Nearest(name, known, most); meant != "" {
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

package settings

import (
	"maps"
	"slices"
	"strings"
)

// Nearest is the known name that begins with name, or else is closest to it; it is empty if none is
// within most letters.
func Nearest(name string, known map[string]bool, most int) string {
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

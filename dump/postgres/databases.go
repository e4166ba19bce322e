package postgres

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// DatabasesIn are the databases that a dump of several holds, by their names.
func DatabasesIn(contents *dump.Contents) []string {
	names := contents.Databases()
	for i, name := range names {
		if inside, quoted := strings.CutPrefix(name, `"`); quoted {
			names[i] = strings.ReplaceAll(strings.TrimSuffix(inside, `"`), `""`, `"`)
		}
	}
	return names
}

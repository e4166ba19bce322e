// Package note is what a dump says in comments to whoever restores it: of which server it is, which
// databases it makes, in which time zone their values were computed, what names its own database,
// and the statements that are for this program alone. The writer of a dump and its reader have the
// words from here.
//
// A comment is one line of ASCII; names and statements in it are quoted as Go quotes them (%+q).
// The dump's first line and its last ones, the manifest, are those of package dump.
package note

import (
	"fmt"
	"strconv"
	"strings"
)

// The names of this engine's dumps in their first line.
const (
	One     = "mysql"        // a dump of one database, which goes into any
	Several = "mysql server" // one of several, which are made by their names
)

// How the comments at a dump's beginning begin. What follows the prefix is said behind each.
const (
	Server      = "server "                            // the server's family and version
	Database    = "database "                          // the name of one of several databases
	MachineZone = "time zone of the server's machine " // the zone in which that server has computed what is in its tables
	Zone        = "time zone of the server "           // the same, of a server that was set to one
	TimeZones   = "time zones are loaded"              // nothing: the server knows time zones by their names
)

// The lines of a dump's manifest, see dump.Writer: the first one, and how that of a table begins.
const (
	Manifest = "-- breaking-backups manifest"
	Table    = "-- table "
)

// Native begins a comment that holds a statement which this program's restore runs, and no client.
const Native = "statement for breaking-backups alone "

// NativeStatement returns the statement that a comment holds.
func NativeStatement(comment string) (string, bool, error) {
	rest, ok := strings.CutPrefix(comment, Native)
	if !ok {
		return "", false, nil
	}
	sql, err := strconv.Unquote(rest)
	if err != nil {
		return "", true, fmt.Errorf("a statement in a comment is damaged: %w", err)
	}
	return sql, true, nil
}

package script

import (
	"fmt"
	"strconv"
	"strings"
)

// What this program's dumps say they are, in their heads.
const (
	OneDatabase = "postgres"
	RowsAlone   = "postgres data"    // of one database
	Cluster     = "postgres cluster" // several databases, with what makes them, or all of a server
)

// AfterRowsMark is the comment before what needs rows that others have, and PrivilegesMark the one
// before privileges: what comes behind them is after the rows also where there are none.
const (
	AfterRowsMark  = "foreign keys, triggers and what else needs rows"
	PrivilegesMark = "privileges"
)

// ByKeyMark is the comment before a COPY whose rows are in the order of their table's key. It is
// there for a load, which has to know before the rows come, and the key comes behind them.
const ByKeyMark = "rows in the order of their key"

// databasePrefix begins the lines that name the databases of a cluster's dump, quoted as a
// manifest's names are.
const databasePrefix = "-- database "

// DatabaseLine is the comment that names a database of a cluster's dump. They stand before all
// statements, so that a restore can look at the databases before it changes anything.
func DatabaseLine(name string) string { return fmt.Sprintf("%s%+q\n", databasePrefix, name) }

// parseDatabaseLine returns the name in a comment, which reports false for one that is no such
// line.
func parseDatabaseLine(comment string) (name string, ok bool, err error) {
	quoted, ok := strings.CutPrefix(comment, databasePrefix)
	if !ok {
		return "", false, nil
	}
	name, err = strconv.Unquote(quoted)
	return name, true, err
}

// ConnectCommand writes psql's \connect. A name that is more than a plain word goes into a
// connection string (CVE-2016-5424), quoted for libpq, and that into double quotes: within single
// ones \connect would take the name's own away. A name with a line break cannot be written: a
// meta-command ends with its line.
func ConnectCommand(name string) string {
	plain := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == ""
	if plain {
		return connect + name
	}
	value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name)
	conninfo := "dbname='" + value + "'"
	return connect + `-reuse-previous=on "` + strings.ReplaceAll(conninfo, `"`, `""`) + `"`
}

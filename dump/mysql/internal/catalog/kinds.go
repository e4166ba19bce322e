package catalog

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What a server of the versions that this package was held against can hold, and what becomes of
// it:
//
//	databases, tables with rows, keys, constraints, partitions    in the dump
//	history of versioned tables                                   in the dump, from MariaDB 10.11 on; else a warning
//	views, also those of JSON documents (MySQL 9.4)               in the dump; those that nobody can read as a comment, with a warning
//	sequences, packages (MariaDB), libraries (MySQL 9.2)          in the dump
//	functions, procedures, triggers, events                       in the dump
//	temporary tables                                              left out: they are a session's
//
// Of all databases also
//
//	users, roles, what they may do, remote servers                in the dump
//	loadable functions, plugins, components                       left out: they are files of the server's; the first with a warning
//	what users keep in the server's own databases                 left out, with a warning that names it
//	time zone tables                                              left out: they come with the system; a restore says so where they lack
//	resource groups, tablespaces with a name                      left out, with a warning that names them
//	replication's settings, the server's settings, statistics     left out: they are the machine's, not the data's

// newest are the newest versions that this package has been held against.
var newest = map[server.Family]server.Version{server.MySQL: {9, 7}, server.MariaDB: {11, 8}}

// WarnOfNewer says that a server may hold what nobody has thought of here.
func (c *Reader) WarnOfNewer() {
	last := newest[c.Conn.Family]
	if v := (server.Version{c.Conn.Version[0], c.Conn.Version[1]}); last.Less(v) {
		c.Warn(fmt.Sprintf("the server is %s %s, newer than what this program was tested with, %[1]s %s: kinds of objects that are new there are not in the dump", c.Conn.Family, c.Conn.Version, last))
	}
}

// warnOfKind names an object of a kind that this program does not know: a later server's.
func (c *Reader) warnOfKind(db *Database, name, kind string) {
	c.Warn(fmt.Sprintf("%s.%s is a %s, a kind of object that this program does not know: it is not in the dump; mysqldump or mariadb-dump of the server's own version may have it", db.Name, name, kind))
}

// warnOfUnknown tells of what a later server shows.
func (c *Reader) warnOfUnknown(t *Table) {
	if words := t.Definition.UnknownWords(); len(words) > 0 {
		c.Warn(fmt.Sprintf("the definition of %s has words that this program does not know, and that may be this server's own: %s; they are in the dump, and an older server may not take them", t.Label, strings.Join(words, ", ")))
	}
}

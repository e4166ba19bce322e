package mysql

import "fmt"

// warnOfKind names an object of a kind that this program does not know: a later server's.
func (c *catalog) warnOfKind(db *database, name, kind string) {
	c.warn(fmt.Sprintf("%s.%s is a %s, a kind of object that this program does not know: it is not in the dump; mysqldump of the server's own version may have it", db.name, name, kind))
}

package mysql

import (
	"fmt"
	"strings"
)

// warnOfUnknown tells of what a later server shows.
func (c *catalog) warnOfUnknown(t *table) {
	if words := t.definition.UnknownWords(); len(words) > 0 {
		c.warn(fmt.Sprintf("the definition of %s has words that this program does not know, and that may be this server's own: %s; they are in the dump, and an older server may not take them", t.label, strings.Join(words, ", ")))
	}
}

package note

import (
	"strconv"
	"strings"
)

// OwnName is what a dump of one database says of its name.
type OwnName struct {
	Database string
	Sure     []string // programs, by kind and name, that name it, and nothing else by that name
	Unsure   []string
	Objects  []string // of the database, in lower case, that are named beside an alias or the like of its name
	Origin   string   // the name as mysqldump's dumps have it
	Nowhere  bool     // none names it, though some have names in bytes that are not UTF-8
}

// How the notes of those begin.
const (
	NamesItself   = "names its database "
	MayNameItself = "may name its database "
	HasOfItself   = "has of its database "

	Origin             = "of database "                  // its name, quoted: no dump has it, and the reader of mysqldump's makes it of theirs
	NamesItselfNowhere = "no program names its database" // nothing
)

// Read takes note of a comment, if it is one of those.
func (o *OwnName) Read(comment string) error {
	var rest string
	var to *[]string
	for begin, list := range map[string]*[]string{NamesItself: &o.Sure, MayNameItself: &o.Unsure, HasOfItself: &o.Objects} {
		if behind, ok := strings.CutPrefix(comment, begin); ok {
			rest, to = behind, list
		}
	}
	if rest, ok := strings.CutPrefix(comment, Origin); ok {
		origin, err := strconv.Unquote(rest)
		o.Origin = origin
		return err
	}
	if to == nil {
		o.Nowhere = o.Nowhere || comment == NamesItselfNowhere
		return nil
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return err
	}
	if o.Database, err = strconv.Unquote(quoted); err != nil {
		return err
	}
	what, err := strconv.Unquote(strings.TrimPrefix(rest[len(quoted):], ": "))
	*to = append(*to, what)
	return err
}

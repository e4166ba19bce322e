package ddl

import (
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

var bareTimestamp = regexp.MustCompile(`^ timestamp(\([0-9]\))? NOT NULL\b`)

// HasBareTimestamp tells whether a column is one to which a server may give a default that it does
// not have.
func (d Table) HasBareTimestamp() bool {
	return slices.ContainsFunc(d.Elements, func(e string) bool {
		_, rest, ok := quote.CutName(e)
		return ok && bareTimestamp.MatchString(rest) && !strings.Contains(quote.Emptied(rest), " DEFAULT ")
	})
}

// refusedFormat are a table's options that a strict server may refuse: by other options, its page
// size, its tablespace.
var refusedFormat = regexp.MustCompile(`\b(KEY_BLOCK_SIZE|ROW_FORMAT=(COMPRESSED|FIXED|PAGE|DEFAULT))\b`)

// HasRefusedFormat tells whether the table has one of them.
func (d Table) HasRefusedFormat() bool {
	return refusedFormat.MatchString(quote.Emptied(d.Tail))
}

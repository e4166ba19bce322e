package ddl

import (
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// The text of a table's definition is the server's, and what it shows it takes back: nothing of it
// is left out, as all of it may have been set. But a later server may show more than those that
// this was written for, of its own accord, and one without that may refuse the dump. So these are
// the words that are let through without one of warning. Whoever dumps is told of others.

// tableOptions are the words behind a table's columns. A statement may set each. Some are also
// shown where nobody did: the engine, the character set and its collation, PAGE_CHECKSUM of Aria;
// AUTO_INCREMENT is part of the data.
var tableOptions = []string{
	"ENGINE", "AUTO_INCREMENT", "DEFAULT", "CHARSET", "COLLATE", "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", "COMPRESSION", "ENCRYPTION", "TABLESPACE", "STORAGE", "DISK", "MEMORY",
	"STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "MIN_ROWS", "MAX_ROWS", "AVG_ROW_LENGTH", "PACK_KEYS", "CHECKSUM", "DELAY_KEY_WRITE",
	"PAGE_CHECKSUM", "TRANSACTIONAL", "SEQUENCE", "WITH", "SYSTEM", "VERSIONING", "DATA", "INDEX", "DIRECTORY", "CONNECTION", "UNION", "INSERT_METHOD", "PASSWORD",
	"AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_ENGINE", "START", "TRANSACTION",
}

// versionWords begin what stands in comments that only servers from a version on read. Each may be
// set by a statement, and one that does not read it has not got it.
var versionWords = []string{
	"INVISIBLE", "COLUMN_FORMAT", "STORAGE", "SRID", "NOT", "COMPRESSED", "PARTITION", "TABLESPACE", "ENCRYPTION", "AUTOEXTEND_SIZE",
	"ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_ENGINE", "START",
}

var (
	optionWord     = regexp.MustCompile(`(?:^|[ )])([A-Z][A-Z_]+)(?:[ =(]|$)`)
	versionComment = regexp.MustCompile(`/\*M?![0-9]* ?([A-Za-z_]*)`)
)

// UnknownWords returns what of a definition is in neither list.
func (d Table) UnknownWords() []string {
	var unknown []string
	note := func(word string, known []string) {
		if !slices.Contains(known, word) && !slices.Contains(unknown, word) {
			unknown = append(unknown, word)
		}
	}
	for _, text := range append(slices.Clone(d.Elements), d.Tail) {
		for _, m := range versionComment.FindAllStringSubmatch(quote.Emptied(text), -1) {
			note(strings.ToUpper(m[1]), versionWords)
		}
	}
	options := strings.ReplaceAll(quote.Emptied(d.Tail), "\n", " ")
	options, _, _ = strings.Cut(options, " PARTITION BY ")
	options, _, _ = strings.Cut(options, "/*") // what the engine does not know, or a version; looked at above
	for _, word := range strings.Fields(strings.TrimPrefix(options, ")")) {
		if m := optionWord.FindStringSubmatch(word); m != nil {
			note(m[1], tableOptions)
		}
	}
	return unknown
}

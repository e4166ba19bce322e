// Package guard writes a dump's SQL, and lets nothing into it that somebody has put into a database
// to be run where the dump is loaded.
//
// A dump goes to the clients too, which have commands of their own (\! runs a program on their
// machine) and may do what they like, often as root. So nothing that a server sent gets into a dump
// but
//
//   - as a whole statement of the kind that was asked for, which every client at hand reads as one:
//     Printer.Stmt,
//   - within quotes, which the writer has put around it and escaped it for,
//   - or after it was held against the form of what it should be: words, numbers, dates.
//
// It does not matter whether the server's users wrote it, somebody between it and us, or the server
// itself.
//
// It knows what clients make of text and what a session reads it in; what an object's definition
// should be is for those who ask the server for it.
package guard

import (
	"fmt"
	"regexp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// Readings are the ways in which clients read text in a session with this sql_mode. Those of MySQL
// and MariaDB differ in what comments they take for statements, and either may be at hand; MySQL's
// knows nothing of ANSI_QUOTES, and since version 9 takes dollars for quotes.
func Readings(sqlMode string) []script.Mode {
	m := script.SQLMode(sqlMode)
	list := []script.Mode{m, m | script.MySQL, m | script.MySQL | script.DollarQuotes}
	if m&script.ANSIQuotes != 0 {
		for _, ansi := range list[:len(list):len(list)] {
			list = append(list, ansi&^script.ANSIQuotes)
		}
	}
	return list
}

// A form is what text must look like that is written without quotes.
var (
	WordForm    = regexp.MustCompile(`^[A-Za-z0-9_]+$`)       // a character set, a collation
	modeForm    = regexp.MustCompile(`^[A-Za-z0-9_,]*$`)      // a sql_mode
	ZoneForm    = regexp.MustCompile(`^[A-Za-z0-9_+:/ .-]+$`) // a time zone
	HexForm     = regexp.MustCompile(`^[0-9A-F]+$`)
	IntegerForm = regexp.MustCompile(`^-?[0-9]+$`)
)

// MustBe returns an error if text is not of the form. what names it.
func MustBe(form *regexp.Regexp, what, text string) error {
	if !form.MatchString(text) {
		return fmt.Errorf("the server sent %+q as %s", Shortened(text), what)
	}
	return nil
}

// Shortened cuts what a server sent to what an error has room for.
func Shortened(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

var multibyte = map[string]bool{"big5": true, "cp932": true, "gb18030": true, "gbk": true, "sjis": true}

// IsMultibyte tells whether a character set is one of those whose letters may hold bytes that mean
// something in SQL: quotes, backslashes. All others that a session can be in have these bytes for
// nothing but themselves.
func IsMultibyte(charset string) bool { return multibyte[charset] }

// plainSets are the character sets in which the clients, which read bytes, and the server see the
// same text.
var plainSets = map[string]bool{
	"armscii8": true, "ascii": true, "binary": true, "cp1250": true, "cp1251": true, "cp1256": true, "cp1257": true, "cp850": true,
	"cp852": true, "cp866": true, "dec8": true, "eucjpms": true, "euckr": true, "gb2312": true, "geostd8": true, "greek": true,
	"hebrew": true, "hp8": true, "keybcs2": true, "koi8r": true, "koi8u": true, "latin1": true, "latin2": true, "latin5": true,
	"latin7": true, "macce": true, "macroman": true, "tis620": true, "ujis": true, "utf8": true, "utf8mb3": true, "utf8mb4": true,
}

// ReadsAlike tells whether the server in a session of that character set reads the text as the
// clients do.
func ReadsAlike(text, charset string) bool {
	return plainSets[charset] || multibyte[charset] && quote.IsASCII(text)
}

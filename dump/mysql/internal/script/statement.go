package script

import (
	"bytes"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// IsSetting tells whether a statement changes only the session.
func IsSetting(sql []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(sql, []byte("/*")), "M!0123456789 ")
	return len(text) > 4 && bytes.EqualFold(text[:4], []byte("SET ")) // mysqldump has autocommit in small letters
}

// IsTable tells whether a statement makes a table, as it is written in dumps.
func IsTable(sql []byte) bool { return bytes.HasPrefix(sql, []byte("CREATE TABLE `")) }

// Used returns the database that a USE statement names.
func Used(sql []byte) (string, bool) {
	const use = "use "
	if len(sql) < len(use) || !bytes.EqualFold(sql[:len(use)], []byte(use)) {
		return "", false
	}
	name := strings.TrimSpace(string(sql[len(use):]))
	if strings.HasPrefix(name, "`") && strings.HasSuffix(name, "`") && len(name) > 1 {
		name = quote.Unquoted(name)
	}
	return name, true
}

// IsComment tells whether a server of that mode takes all of a statement for comments: MySQL does
// so with what is for MariaDB alone.
func IsComment(sql []byte, mode Mode) bool {
	lx := lexer{mode: mode}
	for {
		if !bytes.HasPrefix(sql, []byte("/*")) || lx.conditional(sql) {
			return false
		}
		_, rest, closed := bytes.Cut(sql[2:], []byte("*/"))
		if sql = trimBlanks(rest); len(sql) == 0 {
			return closed
		}
	}
}

// Head shortens a statement for an error message. Rows and passwords are cut away.
func Head(sql string) string {
	line, _, cut := strings.Cut(strings.TrimSpace(sql), "\n")
	for _, word := range []string{"VALUES", "IDENTIFIED", "OPTIONS"} {
		if i := strings.Index(line, word); i >= 0 {
			line, cut = line[:i+len(word)], true
		}
	}
	const most = 120
	if runes := []rune(line); len(runes) > most {
		line, cut = string(runes[:most]), true
	}
	if cut {
		line += " …"
	}
	return line
}

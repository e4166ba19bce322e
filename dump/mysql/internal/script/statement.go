package script

import (
	"bytes"
	"strings"
)

// IsSetting tells whether a statement changes only the session.
func IsSetting(sql []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(sql, []byte("/*")), "M!0123456789 ")
	return bytes.HasPrefix(text, []byte("SET "))
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

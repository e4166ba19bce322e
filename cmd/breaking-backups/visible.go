package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible is text as a person may see it: what could move the cursor, colour the screen or begin a line of its own
// is written as Go writes it in strings. Names in a database, and all that a server says, are their makers' own.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case !hidden(r):
			b.WriteString(text[:size])
		case size == 1 && r == utf8.RuneError:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

// visibleLines is text of several lines, which may be indented by tabs, as a person may see it.
func visibleLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, "\t")
		b.WriteString(line[:len(line)-len(rest)])
		body, ended := strings.CutSuffix(rest, "\n")
		b.WriteString(visible(body))
		if ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// hidden reports whether a rune is none that is seen as itself: controls, directions of writing, what is not UTF-8.
func hidden(r rune) bool {
	return r == utf8.RuneError || !unicode.IsGraphic(r) || r != ' ' && unicode.IsSpace(r)
}

package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible is text as a person may see it: what could move the cursor, colour the screen or begin a
// line of its own is written as Go writes it in strings. Names in a database, and all that a server
// says, are their makers' own.
func Visible(text string) string {
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

// VisibleLines is text of several lines, which may be indented by tabs, as a person may see it.
func VisibleLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, "\t")
		b.WriteString(line[:len(line)-len(rest)])
		body, ended := strings.CutSuffix(rest, "\n")
		b.WriteString(Visible(body))
		if ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// visibleJSON passes lines of JSON on with escapes for what a terminal heeds and encoding/json
// leaves as it is: controls from 0x7f on, directions of writing. They can only be within strings.
type visibleJSON struct{ w io.Writer }

// NewJSON returns a writer that hands lines of JSON to w in a form that a terminal may show.
func NewJSON(w io.Writer) io.Writer { return visibleJSON{w} }

func (v visibleJSON) Write(line []byte) (int, error) {
	escaped := line
	if bytes.ContainsFunc(line, hiddenInJSON) {
		escaped = nil
		for _, r := range string(line) {
			switch {
			case !hiddenInJSON(r):
				escaped = utf8.AppendRune(escaped, r)
			case r > 0xffff:
				high, low := utf16.EncodeRune(r)
				escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
			default:
				escaped = fmt.Appendf(escaped, `\u%04x`, r)
			}
		}
	}
	if _, err := v.w.Write(escaped); err != nil {
		return 0, err
	}
	return len(line), nil
}

func hiddenInJSON(r rune) bool { return r != '\n' && r != utf8.RuneError && hidden(r) }

// hidden reports whether a rune is none that is seen as itself: controls, directions of writing,
// what is not UTF-8.
func hidden(r rune) bool {
	return r == utf8.RuneError || !unicode.IsGraphic(r) || r != ' ' && unicode.IsSpace(r)
}

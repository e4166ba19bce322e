package terminal

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Widths of text for people, in letters: where nothing says how wide the place is, and beyond which
// lines are hard to read.
const (
	unknownWidth = 80
	widest       = 100
)

// Width is how wide text written to w is to be.
func Width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return min(columns, widest)
		}
	}
	return unknownWidth
}

// Wrapped breaks text into lines of at most width letters, as far as its words are not longer; each
// begins with indent, and the last ends too.
func Wrapped(text string, width int, indent string) string {
	var b strings.Builder
	line := 0 // letters in it
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case line == 0:
			b.WriteString(indent)
			line = utf8.RuneCountInString(indent)
		case line+1+n > width:
			b.WriteString("\n" + indent)
			line = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += n
	}
	if line > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// Hanging is wrapped with something before the text, which begins in a column of its own: on the
// same line where there is room for both.
func Hanging(head string, column int, text string, width int) string {
	body := Wrapped(text, width, strings.Repeat(" ", column))
	n := utf8.RuneCountInString(head)
	if body == "" || n >= column {
		return head + "\n" + body
	}
	return head + body[n:]
}

// Paragraphs is text of several, each wrapped. Lines that are indented stay as they are.
func Paragraphs(text string, width int) string {
	var b, open strings.Builder
	closeOpen := func() {
		b.WriteString(Wrapped(open.String(), width, ""))
		open.Reset()
	}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			closeOpen()
			b.WriteString(strings.TrimRight(line, " \t\n") + "\n")
			continue
		}
		open.WriteString(line)
	}
	closeOpen()
	return b.String()
}

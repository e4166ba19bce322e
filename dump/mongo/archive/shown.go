package archive

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Shown is a name as a person reads it: as it is, unless something in it would
// not be seen, or would be taken for something else. Users choose names, and a
// server may send any; what they hold is no line of ours.
func Shown(name string) string {
	if name == "" || strings.ContainsFunc(name, misread) || strings.TrimSpace(name) != name {
		return fmt.Sprintf("%+q", name)
	}
	return name
}

func misread(r rune) bool { return !strconv.IsPrint(r) || r == unicode.ReplacementChar || r == '"' }

// Line is a text of ours with what others put into it, as one line without what
// steers a terminal.
func Line(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != '"' && misread(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

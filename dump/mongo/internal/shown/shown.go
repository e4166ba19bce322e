// Package shown writes names and texts that others have chosen so that a person reads them as what
// they are: users choose names, and a server may send any. It knows nothing of what they are names
// of.
package shown

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Name is a name as a person reads it, cut to what has room in an error.
func Name(name string) string { return Short(Whole(name)) }

// Names is several names, the first ones of many.
func Names(names []string) string {
	const most = 10
	var all []string
	for _, name := range names[:min(len(names), most)] {
		all = append(all, Name(name))
	}
	text := strings.Join(all, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Short cuts a text to what has room in an error.
func Short(text string) string {
	const most = 120
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}

// Whole is a name as a person reads it: as it is, unless something in it would not be seen, or
// would be taken for something else. What it holds is no line of ours.
func Whole(name string) string {
	if name == "" || strings.ContainsFunc(name, misread) || strings.TrimSpace(name) != name {
		return fmt.Sprintf("%+q", name)
	}
	return name
}

func misread(r rune) bool { return !strconv.IsPrint(r) || r == unicode.ReplacementChar || r == '"' }

// line is a text of ours with what others put into it, as one line without what steers a terminal.
func line(text string) string {
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

// Teller passes texts on to someone, or where that is nil to nobody: one at a time, and each as one
// line, as servers and users have put words into them.
func Teller(to func(string), one *sync.Mutex) func(string) {
	if to == nil {
		return func(string) {}
	}
	return func(text string) {
		one.Lock()
		defer one.Unlock()
		to(line(text))
	}
}

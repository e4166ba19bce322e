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

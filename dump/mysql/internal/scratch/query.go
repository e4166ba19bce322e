package scratch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	errNoQuery = errors.New("it is no query: want SELECT, WITH, VALUES or TABLE")
	errInto    = errors.New("it writes what it finds: want a query without INTO")
	errHidden  = errors.New("it has a comment that is run (/*!…*/): want a query without one")
)

// isQuery returns an error for a statement that is more than a query, going by its words. What it
// calls is the server's to refuse, in a transaction that reads only; but that does not hold for a
// file that a query writes (INTO OUTFILE), or for statements that are of no transaction.
func isQuery(question string) error {
	first := true
	for rest := question; rest != ""; {
		word, behind, err := nextWord(rest)
		if err != nil {
			return err
		}
		rest = behind
		switch word = strings.ToLower(word); {
		case word == "":
		case first && !slices.Contains([]string{"select", "with", "values", "table"}, word):
			return fmt.Errorf("%w, it begins with %q", errNoQuery, word)
		case word == "into":
			return errInto
		default:
			first = false
		}
	}
	if first {
		return errNoQuery
	}
	return nil
}

// nextWord passes over a word, which it returns, or over something else: what stands in quotes, a
// comment, a sign. The session takes a backslash in a text for an escape, and quotes names in
// backquotes alone.
func nextWord(s string) (word, rest string, err error) {
	n := strings.IndexFunc(s, func(r rune) bool { return !isLetter(r) })
	if n < 0 {
		return s, "", nil
	}
	if n > 0 {
		return s[:n], s[n:], nil
	}
	switch {
	case strings.HasPrefix(s, "/*!"), strings.HasPrefix(s, "/*M!"):
		return "", "", errHidden
	case strings.HasPrefix(s, "/*"):
		_, rest, _ = strings.Cut(s[2:], "*/")
		return "", rest, nil
	case s[0] == '#', strings.HasPrefix(s, "--") && (len(s) == 2 || s[2] <= ' '):
		_, rest, _ = strings.Cut(s, "\n")
		return "", rest, nil
	case s[0] == '\'', s[0] == '"', s[0] == '`':
		return "", behindQuote(s), nil
	}
	return "", s[1:], nil
}

// behindQuote returns what stands behind the quotes that a text begins with. A doubled quote is the
// end of one and the beginning of another.
func behindQuote(s string) string {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return s[i+1:]
		}
	}
	return ""
}

func isLetter(r rune) bool {
	return r == '_' || r == '$' || r == '@' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}

// Package choice is what of a server a dump is of: patterns as psql and pg_dump take them, and the
// selection of schemas and tables that is made of them. What becomes of an object that nobody
// chose, and of what needs it, is the catalogue's to say.
package choice

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Pattern matches names as psql's and pg_dump's patterns do: * is any characters, ? any one, a
// dot parts schema and name, letters outside quotes are folded to lower case, and other characters
// mean what they mean in a regular expression, but $. Within double quotes all stand for
// themselves.
type Pattern struct {
	Text   string
	schema *regexp.Regexp // nil: any
	name   *regexp.Regexp
}

// parsePattern reads a pattern of at most the given number of parts between dots.
func parsePattern(text string, parts int) (*Pattern, error) {
	p := &Pattern{Text: text}
	list, err := patternParts(text)
	if err != nil {
		return nil, err
	}
	if len(list) > parts {
		return nil, fmt.Errorf("%s: %s expected", text, [...]string{"", "a name without a dot (quote one that has it)", "table or schema.table"}[parts])
	}
	for _, part := range list {
		if part == "" {
			return nil, fmt.Errorf("%q: a name is empty", text)
		}
		re, err := regexp.Compile("^(?:" + part + ")$")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		p.schema, p.name = p.name, re
	}
	return p, nil
}

// patternParts translates a pattern into regular expressions, one for each part between its dots.
func patternParts(text string) ([]string, error) {
	var parts []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '"' && quoted && strings.HasPrefix(text[i+1:], `"`):
			b.WriteByte('"')
			i++
		case ch == '"':
			quoted = !quoted
		case quoted && ch < 0x80:
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		case quoted:
			b.WriteByte(ch)
		case ch == '.':
			parts = append(parts, b.String())
			b.Reset()
		case ch == '*':
			b.WriteString("(?s:.*)")
		case ch == '?':
			b.WriteString("(?s:.)")
		case ch == '$':
			b.WriteString(`\$`)
		case 'A' <= ch && ch <= 'Z':
			b.WriteByte(ch + 'a' - 'A')
		default:
			b.WriteByte(ch)
		}
	}
	if quoted {
		return nil, errors.New(text + ": a double quote is not closed")
	}
	return append(parts, b.String()), nil
}

// Patterns are alternatives.
type Patterns []*Pattern

func ParsePatterns(list []string, parts int) (Patterns, error) {
	var all Patterns
	for _, text := range list {
		p, err := parsePattern(text, parts)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Match reports whether one of the patterns fits, and notes in used all that do.
func (ps Patterns) Match(used map[*Pattern]bool, schema, name string) bool {
	found := false
	for _, p := range ps {
		if (p.schema == nil || p.schema.MatchString(schema)) && p.name.MatchString(name) {
			used[p], found = true, true
		}
	}
	return found
}

// Split parts a list of patterns at its commas. Blanks around a pattern do not count, and a comma
// within double quotes is part of a name.
func Split(list string) []string {
	var all []string
	quoted, from := false, 0
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	for i := range len(list) {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			add(list[from:i])
			from = i + 1
		}
	}
	add(list[from:])
	return all
}

package choice

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A pattern fits names of tables: * is any characters, ? any one, a dot parts database and name,
// and other characters mean what they mean in a regular expression, but $. Within double quotes or
// backquotes all stand for themselves. Letters have to be those of the name in the dump, whatever
// the target's server makes of them: two names that differ in case alone are two tables on most
// servers.
type pattern struct {
	text     string
	database *regexp.Regexp // nil: any
	name     *regexp.Regexp
}

func parsePattern(text string) (*pattern, error) {
	list, err := patternParts(text)
	if err != nil {
		return nil, err
	}
	if len(list) > 2 {
		return nil, fmt.Errorf("%s: table or database.table expected; quote a name that has a dot", text)
	}
	p := &pattern{text: text}
	for _, part := range list {
		if part == "" {
			return nil, fmt.Errorf("%q: a name is empty", text)
		}
		re, err := regexp.Compile("^(?:" + part + ")$")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		p.database, p.name = p.name, re
	}
	return p, nil
}

// patternParts translates a pattern into regular expressions, one for each part between its dots.
func patternParts(text string) ([]string, error) {
	var parts []string
	var b strings.Builder
	var quoted byte // the quote that is open
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quoted != 0 && ch == quoted && i+1 < len(text) && text[i+1] == quoted:
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
			i++
		case quoted != 0 && ch == quoted:
			quoted = 0
		case quoted == 0 && (ch == '"' || ch == '`'):
			quoted = ch
		case quoted != 0 && ch < 0x80:
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		case quoted != 0:
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
		default:
			b.WriteByte(ch)
		}
	}
	if quoted != 0 {
		return nil, errors.New(text + ": a quote is not closed")
	}
	return append(parts, b.String()), nil
}

func (p *pattern) fits(database, name string) bool {
	return (p.database == nil || p.database.MatchString(database)) && p.name.MatchString(name)
}

// patterns are alternatives.
type patterns []*pattern

func parsePatterns(list []string) (patterns, error) {
	var all patterns
	for _, text := range list {
		p, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (ps patterns) inAnyCase() patterns {
	var all patterns
	for _, p := range ps {
		folded := &pattern{text: p.text, name: regexp.MustCompile("(?i)" + p.name.String())}
		if p.database != nil {
			folded.database = regexp.MustCompile("(?i)" + p.database.String())
		}
		all = append(all, folded)
	}
	return all
}

// fit tells whether one of the patterns fits, and notes in used all that do; nil notes nothing.
func (ps patterns) fit(used map[*pattern]bool, database, name string) bool {
	found := false
	for _, p := range ps {
		if p.fits(database, name) {
			if found = true; used != nil {
				used[p] = true
			}
		}
	}
	return found
}

// unused are the texts of those that fit nothing.
func (ps patterns) unused(used map[*pattern]bool) []string {
	var texts []string
	for _, p := range ps {
		if !used[p] {
			texts = append(texts, p.text)
		}
	}
	return texts
}

// Package namespace is about the names of databases and collections: which of them patterns select,
// what they are renamed to, and which are a server's own, so that no dump has them or no restore
// puts them anywhere. It asks no server.
package namespace

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Pattern is a namespace in which stars stand for any text.
type Pattern struct {
	Text  string // as somebody wrote it
	parts []string
	re    *regexp.Regexp // with a group for each star
}

// parsePattern reads a pattern. As in mongorestore's, a backslash takes the next character as it
// is: \* is a star, \\ a backslash. The name of a database alone is refused, and what is no name at
// all.
func parsePattern(text string) (Pattern, error) {
	var part strings.Builder
	p := Pattern{Text: text}
	for rest := text; rest != ""; {
		c := rest[0]
		if rest = rest[1:]; c == '*' {
			p.parts = append(p.parts, part.String())
			part.Reset()
			continue
		}
		if c == '\\' {
			if rest == "" {
				return Pattern{}, fmt.Errorf("%q: it ends in a backslash, which takes the next character as it is; want \\\\ for a backslash", text)
			}
			c, rest = rest[0], rest[1:]
		}
		part.WriteByte(c)
	}
	p.parts = append(p.parts, part.String())
	db, name, ok := strings.Cut(strings.Join(p.parts, "*"), ".")
	if all := slices.Equal(p.parts, []string{"", ""}); !all && (!ok || db == "" || name == "") {
		return Pattern{}, fmt.Errorf("%q: want database.collection, in which * stands for any text", text)
	}
	var quoted []string
	for _, text := range p.parts {
		quoted = append(quoted, regexp.QuoteMeta(text))
	}
	p.re = regexp.MustCompile("(?s)^" + strings.Join(quoted, "(.*)") + "$")
	return p, nil
}

// stars is how many stars a pattern has.
func (p Pattern) stars() int { return len(p.parts) - 1 }

// Matches tells whether a namespace is one that the pattern stands for.
func (p Pattern) Matches(namespace string) bool { return p.re.MatchString(namespace) }

// SplitPatterns splits a list of patterns at its commas, but for those after a backslash. Blanks
// around its items do not count.
func SplitPatterns(list string) []string {
	var items []string
	from, escaped := 0, false
	add := func(to int) {
		item := strings.TrimSpace(list[from:to])
		if from = to + 1; item != "" {
			items = append(items, item)
		}
	}
	for i := range len(list) {
		switch c := list[i]; {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == ',':
			add(i)
		}
	}
	add(len(list))
	return items
}

// A Filter tells which collections are dumped or loaded: those that a pattern of Include matches,
// or without one all, and of these what none of Exclude does.
type Filter struct{ Include, Exclude []Pattern }

// NewFilter reads the patterns of a filter. An error names the list and the pattern.
func NewFilter(include, exclude []string) (Filter, error) {
	var f Filter
	for _, list := range []struct {
		name     string
		patterns []string
		to       *[]Pattern
	}{{"include", include, &f.Include}, {"exclude", exclude, &f.Exclude}} {
		for _, text := range list.patterns {
			p, err := parsePattern(text)
			if err != nil {
				return Filter{}, fmt.Errorf("%s %w", list.name, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	return f, nil
}

// All tells of a filter that leaves out nothing.
func (f Filter) All() bool { return len(f.Include)+len(f.Exclude) == 0 }

// Wants tells whether a namespace is not left out.
func (f Filter) Wants(namespace string) bool {
	matches := func(p Pattern) bool { return p.Matches(namespace) }
	return (len(f.Include) == 0 || slices.ContainsFunc(f.Include, matches)) && !slices.ContainsFunc(f.Exclude, matches)
}

// String is what the patterns ask for.
func (f Filter) String() string {
	texts := func(all []Pattern) string {
		var texts []string
		for _, p := range all {
			texts = append(texts, p.Text)
		}
		return shown.Names(texts)
	}
	what := "collections"
	if len(f.Include) > 0 {
		what += " " + texts(f.Include)
	}
	if len(f.Exclude) > 0 {
		what += " but " + texts(f.Exclude)
	}
	return what
}

package mongo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A filter tells which collections are dumped or loaded.
type filter struct {
	include, exclude []*regexp.Regexp // of namespaces
}

func newFilter(include, exclude []string) (filter, error) {
	var f filter
	for _, list := range []struct {
		name     string
		patterns []string
		to       *[]*regexp.Regexp
	}{{"include", include, &f.include}, {"exclude", exclude, &f.exclude}} {
		for _, text := range list.patterns {
			p, err := parsePattern(text)
			if err != nil {
				return filter{}, fmt.Errorf("%s %w", list.name, err)
			}
			*list.to = append(*list.to, p.compile())
		}
	}
	return f, nil
}

// A pattern is a namespace in which stars stand for any text, split at these.
type pattern []string

// parsePattern reads a pattern. As in mongorestore's, a backslash takes the next
// character as it is: \* is a star, \\ a backslash. The name of a database alone is
// refused, and what is no name at all.
func parsePattern(text string) (pattern, error) {
	var part strings.Builder
	var p pattern
	for rest := text; rest != ""; {
		c := rest[0]
		if rest = rest[1:]; c == '*' {
			p = append(p, part.String())
			part.Reset()
			continue
		}
		if c == '\\' {
			if rest == "" {
				return nil, fmt.Errorf("%q: it ends in a backslash, which takes the next character as it is; want \\\\ for a backslash", text)
			}
			c, rest = rest[0], rest[1:]
		}
		part.WriteByte(c)
	}
	p = append(p, part.String())
	db, name, ok := strings.Cut(strings.Join(p, "*"), ".")
	if all := slices.Equal(p, pattern{"", ""}); !all && (!ok || db == "" || name == "") {
		return nil, fmt.Errorf("%q: want database.collection, in which * stands for any text", text)
	}
	return p, nil
}

// stars is how many stars a pattern has.
func (p pattern) stars() int { return len(p) - 1 }

// compile makes a regular expression of a pattern, with a group for each star.
func (p pattern) compile() *regexp.Regexp {
	var parts []string
	for _, text := range p {
		parts = append(parts, regexp.QuoteMeta(text))
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, "(.*)") + "$")
}

// SplitPatterns splits a list of patterns at its commas, but for those after a
// backslash. Blanks around its items do not count.
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

func (f filter) all() bool { return len(f.include)+len(f.exclude) == 0 }

func (f filter) wants(namespace string) bool {
	in := func(re *regexp.Regexp) bool { return re.MatchString(namespace) }
	return (len(f.include) == 0 || slices.ContainsFunc(f.include, in)) && !slices.ContainsFunc(f.exclude, in)
}

// A renaming gives namespaces that match a pattern another name, which takes the
// text that stood for the pattern's stars, one after the other.
type renaming struct {
	from *regexp.Regexp
	to   pattern
}

func newRenamings(from, to []string) ([]renaming, error) {
	if len(from) != len(to) {
		return nil, fmt.Errorf("%d namespaces to rename from and %d to rename to: want as many", len(from), len(to))
	}
	var all []renaming
	for i := range from {
		old, err := parsePattern(from[i])
		if err != nil {
			return nil, fmt.Errorf("rename %w", err)
		}
		name, err := parsePattern(to[i])
		if err != nil {
			return nil, fmt.Errorf("rename %w", err)
		}
		if old.stars() != name.stars() {
			return nil, fmt.Errorf("rename %q to %q: want as many * in both", from[i], to[i])
		}
		all = append(all, renaming{old.compile(), name})
	}
	return all, nil
}

// rename returns the new name by the first pattern that matches.
func rename(all []renaming, namespace string) string {
	for _, r := range all {
		stars := r.from.FindStringSubmatch(namespace)
		if stars == nil {
			continue
		}
		name := r.to[0]
		for i, text := range r.to[1:] {
			name += stars[i+1] + text
		}
		return name
	}
	return namespace
}

// checkDatabase refuses what is no name of a database.
func checkDatabase(name string) error {
	if len(name) > 63 || strings.ContainsAny(name, "/\\. \"$\x00") { // on Windows *<>:|? are none either
		return fmt.Errorf("%q is no name of a database", name)
	}
	return nil
}

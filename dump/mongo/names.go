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
			if err := checkPattern(text); err != nil {
				return filter{}, fmt.Errorf("%s %w", list.name, err)
			}
			*list.to = append(*list.to, compilePattern(text))
		}
	}
	return f, nil
}

// checkPattern refuses the name of a database alone, and what is no name at all.
func checkPattern(text string) error {
	if db, name, ok := strings.Cut(text, "."); text != "*" && (!ok || db == "" || name == "") {
		return fmt.Errorf("%q: want database.collection, in which * stands for any text", text)
	}
	return nil
}

// compilePattern makes a regular expression of a pattern, with a group for each star.
func compilePattern(text string) *regexp.Regexp {
	parts := strings.Split(text, "*")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, "(.*)") + "$")
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
	to   []string // split at its stars
}

func newRenamings(from, to []string) ([]renaming, error) {
	if len(from) != len(to) {
		return nil, fmt.Errorf("%d namespaces to rename from and %d to rename to: want as many", len(from), len(to))
	}
	var all []renaming
	for i := range from {
		for _, text := range []string{from[i], to[i]} {
			if err := checkPattern(text); err != nil {
				return nil, fmt.Errorf("rename %w", err)
			}
		}
		if strings.Count(from[i], "*") != strings.Count(to[i], "*") {
			return nil, fmt.Errorf("rename %q to %q: want as many * in both", from[i], to[i])
		}
		all = append(all, renaming{compilePattern(from[i]), strings.Split(to[i], "*")})
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

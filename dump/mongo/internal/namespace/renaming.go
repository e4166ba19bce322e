package namespace

import "fmt"

// A Renaming gives namespaces that match a pattern another name, which takes the text that stood
// for the pattern's stars, one after the other.
type Renaming struct {
	From Pattern
	to   []string // what stands before, between and behind the stars
}

// NewRenamings reads patterns, of which each of from is to become that of to. An error names them.
func NewRenamings(from, to []string) ([]Renaming, error) {
	if len(from) != len(to) {
		return nil, fmt.Errorf("%d namespaces to rename from and %d to rename to: want as many", len(from), len(to))
	}
	var all []Renaming
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
		all = append(all, Renaming{old, name.parts})
	}
	return all, nil
}

// Rename returns the new name by the first pattern that matches, and else the old one.
func Rename(all []Renaming, namespace string) string {
	for _, r := range all {
		stars := r.From.re.FindStringSubmatch(namespace)
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

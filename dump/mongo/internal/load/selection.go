package load

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// checkSelection refuses a choice that cannot be what was meant. A pattern of a renaming that
// matches nothing would put a collection where it was, over what is there.
func (s *loading) checkSelection(loadable []string) error {
	matches := func(p namespace.Pattern) bool { return slices.ContainsFunc(loadable, p.Matches) }
	if len(s.plan) == 0 && s.selects() {
		return fmt.Errorf("%w: %s; %s", ErrNothingSelected, s.cfg.Filter, inTheDump(loadable))
	}
	for _, r := range s.cfg.Renamings {
		if !matches(r.From) {
			return fmt.Errorf("%w to rename: %s matches nothing; %s", ErrNothingSelected, shown.Name(r.From.Text), inTheDump(loadable))
		}
	}
	for _, p := range s.cfg.Filter.Include {
		if !matches(p) {
			s.cfg.Warn(fmt.Sprintf("include %s matches nothing of the dump", shown.Name(p.Text)))
		}
	}
	for _, p := range s.cfg.Filter.Exclude {
		if !matches(p) {
			s.cfg.Warn(fmt.Sprintf("exclude %s matches nothing of the dump", shown.Name(p.Text)))
		}
	}
	if len(s.plan) == 0 {
		s.cfg.Warn("the dump holds no collections that are restored")
	}
	return nil
}

func inTheDump(names []string) string {
	if len(names) == 0 {
		return "there is nothing in it that is restored"
	}
	return "in it there is " + shown.Names(names)
}

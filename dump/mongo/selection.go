package mongo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// ErrNothingSelected is returned when what was asked for is not in the dump: a
// pattern that matches nothing. Nothing has been changed then.
var ErrNothingSelected = errors.New("nothing of the dump is selected")

// checkSelection refuses a choice that cannot be what was meant. A pattern of a
// renaming that matches nothing would put a collection where it was, over what is
// there.
func (s *loading) checkSelection(loadable []string) error {
	matches := func(re *regexp.Regexp) bool { return slices.ContainsFunc(loadable, re.MatchString) }
	if len(s.plan) == 0 && s.selects() {
		return fmt.Errorf("%w: %s; %s", ErrNothingSelected, s.asked(), inTheDump(loadable))
	}
	for i, r := range s.renamings {
		if !matches(r.from) {
			return fmt.Errorf("%w to rename: %s matches nothing; %s", ErrNothingSelected, shown.Name(s.cfg.From[i]), inTheDump(loadable))
		}
	}
	for i, re := range s.filter.include {
		if !matches(re) {
			s.cfg.Warn(fmt.Sprintf("include %s matches nothing of the dump", shown.Name(s.cfg.Include[i])))
		}
	}
	for i, re := range s.filter.exclude {
		if !matches(re) {
			s.cfg.Warn(fmt.Sprintf("exclude %s matches nothing of the dump", shown.Name(s.cfg.Exclude[i])))
		}
	}
	if len(s.plan) == 0 {
		s.cfg.Warn("the dump holds no collections that are restored")
	}
	return nil
}

// asked is what the patterns ask for.
func (l *Loader) asked() string {
	return (&Source{cfg: Config{Include: l.cfg.Include, Exclude: l.cfg.Exclude}}).asked()
}

func inTheDump(names []string) string {
	if len(names) == 0 {
		return "there is nothing in it that is restored"
	}
	return "in it there is " + shown.Names(names)
}

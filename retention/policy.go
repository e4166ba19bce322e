// Package retention turns KEEP_* settings into a policy: which snapshots of a job stay when older ones are forgotten.
//
// It owns what a policy means, refuses one that would keep nothing, and writes it as restic's own flags. Which
// snapshots those flags select, and the reasons, are restic's: `restic forget` applies them.
package retention

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Unlimited, as a count, keeps every snapshot that the rule can tell apart (one a day for Daily, all for Last).
const Unlimited = -1

// Policy says which snapshots of a job to keep: the union of what its rules select.
// A nil count and an empty Within are rules that were not set. The zero value has no rule at all and stands for
// keeping everything; it must not be handed to restic (see IsZero).
type Policy struct {
	Last    *int // the newest n snapshots
	Hourly  *int // the newest of each of the last n hours that have one; the others likewise
	Daily   *int
	Weekly  *int
	Monthly *int
	Yearly  *int
	Within  Span // all snapshots younger than this, counted back from the newest one
}

// ErrKeepsNothing is Validate's answer to a policy whose rules are all set to zero.
var ErrKeepsNothing = errors.New("the policy would keep nothing")

type rule struct {
	flag, unit string
	count      *int
}

func (p Policy) rules() []rule {
	return []rule{
		{"last", "last", p.Last},
		{"hourly", "hourly", p.Hourly},
		{"daily", "daily", p.Daily},
		{"weekly", "weekly", p.Weekly},
		{"monthly", "monthly", p.Monthly},
		{"yearly", "yearly", p.Yearly},
	}
}

// IsZero reports whether no rule is set: nothing is ever forgotten.
func (p Policy) IsZero() bool { return p == Policy{} }

// Validate refuses counts below Unlimited, and, as ErrKeepsNothing, a policy that has rules and selects no snapshot by
// any. The zero Policy is valid.
func (p Policy) Validate() error {
	keeps := !p.Within.IsZero()
	for _, r := range p.rules() {
		if r.count == nil {
			continue
		}
		if *r.count < Unlimited {
			return fmt.Errorf("keep %s: want 0 or more, got %d", r.unit, *r.count)
		}
		keeps = keeps || *r.count != 0
	}
	if !keeps && !p.IsZero() {
		return ErrKeepsNothing
	}
	return nil
}

// Args is the policy as flags of `restic forget`. It is empty for the zero Policy.
func (p Policy) Args() []string {
	var args []string
	for _, r := range p.rules() {
		if r.count != nil && *r.count != 0 {
			args = append(args, "--keep-"+r.flag+"="+formatCount(*r.count))
		}
	}
	if !p.Within.IsZero() {
		args = append(args, "--keep-within="+p.Within.String())
	}
	return args
}

// String is the policy in words for a log line, e.g. "7 daily, 4 weekly, all within 30d".
func (p Policy) String() string {
	var words []string
	for _, r := range p.rules() {
		if r.count != nil && *r.count != 0 {
			words = append(words, formatCount(*r.count)+" "+r.unit)
		}
	}
	if !p.Within.IsZero() {
		words = append(words, "all within "+p.Within.String())
	}
	switch {
	case p.IsZero():
		return "everything"
	case len(words) == 0:
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// ParseCount reads a rule's count: a whole number of 0 or more, or "unlimited".
func ParseCount(s string) (int, error) {
	if s == "unlimited" {
		return Unlimited, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("want a whole number of 0 or more, or unlimited, got %q", s)
	}
	return int(n), nil
}

func formatCount(n int) string {
	if n == Unlimited {
		return "unlimited"
	}
	return strconv.Itoa(n)
}

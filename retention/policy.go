// Package retention turns KEEP_* settings into a policy: which snapshots of a job stay when older
// ones are forgotten.
//
// It owns what a policy means, refuses one that would keep nothing, and says which snapshots it
// selects, with the reasons. The rules are those of `restic forget`, and are held against it; what
// else keeps a snapshot is said at Plan.
package retention

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unlimited, as a count, keeps every snapshot that the rule can tell apart (one a day for Daily,
// all for Last).
const Unlimited = -1

// Policy says which snapshots of a job to keep: the union of what its rules select. A nil count and
// an empty Within are rules that were not set. The zero value has no rule at all and stands for
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

// errKeepsNothing is Validate's answer to a policy whose rules are all set to zero.
var errKeepsNothing = errors.New("the policy would keep nothing")

type rule struct {
	name  string // restic's
	count *int   // nil: not set
	slot  func(t time.Time, place int) int
}

func (p Policy) rules() []rule {
	return []rule{
		{"last", p.Last, place},
		{"hourly", p.Hourly, hour},
		{"daily", p.Daily, day},
		{"weekly", p.Weekly, week},
		{"monthly", p.Monthly, month},
		{"yearly", p.Yearly, year},
	}
}

// IsZero reports whether no rule is set: nothing is ever forgotten.
func (p Policy) IsZero() bool { return p == Policy{} }

// Validate refuses counts below Unlimited, and a policy that has rules and selects no snapshot by
// any. The zero Policy is valid.
func (p Policy) Validate() error {
	keeps := !p.Within.IsZero()
	for _, r := range p.rules() {
		if r.count == nil {
			continue
		}
		if *r.count < Unlimited {
			return fmt.Errorf("keep %s: want 0 or more, got %d", r.name, *r.count)
		}
		keeps = keeps || *r.count != 0
	}
	if !keeps && !p.IsZero() {
		return errKeepsNothing
	}
	return nil
}

// String is the policy in words for a log line, e.g. "7 daily, 4 weekly, all within 30d".
func (p Policy) String() string {
	var words []string
	for _, r := range p.rules() {
		if r.count != nil && *r.count != 0 {
			words = append(words, formatCount(*r.count)+" "+r.name)
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

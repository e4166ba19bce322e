package retention

import (
	"slices"
	"time"
)

// Snapshot is what a policy knows of a snapshot of its job.
type Snapshot struct {
	Time  time.Time
	Empty bool // a dump of nothing: it counts, and never in place of one with content
	Made  bool // by the run that asks: it stays whatever the policy says
}

// Fate is what becomes of a snapshot.
type Fate struct {
	Reasons []string // why it stays, in restic's words ("daily snapshot"); empty: it goes
	Future  bool     // its time has not come
}

// Stays reports whether the snapshot is kept.
func (f Fate) Stays() bool { return len(f.Reasons) > 0 }

// Why snapshots stay that no rule selects.
const (
	madeNow  = "made by this run"
	inFuture = "in the future"
)

// Skew is how far ahead of now a snapshot's time may be without being one of the future: clocks of
// machines differ.
const Skew = time.Minute

// ByTimeAlone reports whether age is all that the policy goes by. After a jump of the clock, or a
// long time without backups, such a one selects nothing but the newest snapshot.
func (p Policy) ByTimeAlone() bool {
	for _, r := range p.rules() {
		if r.count != nil && *r.count != 0 {
			return false
		}
	}
	return !p.Within.IsZero()
}

// Plan says what becomes of each of a job's snapshots, in their order. The rules select as those of
// `restic forget` do, by each snapshot's own zone, but for three things:
//   - A snapshot of the future, which a clock that was wrong once has left, counts for no rule, and
//     stays.
//   - A snapshot that the run has just made stays.
//   - An empty dump counts for no rule of those that are not; it stays where it would if all were
//     alike.
//
// The zero Policy keeps everything.
func (p Policy) Plan(snapshots []Snapshot, now time.Time) []Fate {
	fates := make([]Fate, len(snapshots))
	var full, all []int
	for i, s := range snapshots {
		switch {
		case s.Time.After(now.Add(Skew)):
			fates[i] = Fate{Reasons: []string{inFuture}, Future: true}
			continue
		case p.IsZero():
			fates[i].Reasons = []string{"everything is kept"}
			continue
		case !s.Empty:
			full = append(full, i)
		}
		all = append(all, i)
	}
	p.apply(snapshots, full, fates)
	selected := make([]Fate, len(snapshots))
	p.apply(snapshots, all, selected)
	for i, s := range snapshots {
		switch {
		case s.Empty && selected[i].Stays():
			fates[i].Reasons = selected[i].Reasons
		case s.Made && !fates[i].Stays():
			fates[i].Reasons = []string{madeNow}
		}
	}
	return fates
}

// apply notes in fates why those of the snapshots with these indices stay that the rules select. It
// is the rules of restic's internal/data/snapshot_policy.go, where the oldest snapshot of all also
// stays as long as a rule has not yet selected as many as it may.
func (p Policy) apply(snapshots []Snapshot, indices []int, fates []Fate) {
	if len(indices) == 0 {
		return
	}
	newestFirst := slices.Clone(indices)
	slices.SortStableFunc(newestFirst, func(a, b int) int { return snapshots[b].Time.Compare(snapshots[a].Time) })
	within := p.Within.before(snapshots[newestFirst[0]].Time)

	rules := p.rules()
	last := make([]int, len(rules))
	left := make([]int, len(rules))
	for k, r := range rules {
		last[k] = -1
		if r.count != nil {
			left[k] = *r.count
		}
	}
	for place, i := range newestFirst {
		at, oldest := snapshots[i].Time, place == len(newestFirst)-1
		var reasons []string
		if !p.Within.IsZero() && at.After(within) {
			reasons = append(reasons, "within "+p.Within.String())
		}
		for k, r := range rules {
			if left[k] == 0 {
				continue
			}
			slot := r.slot(at, place)
			if slot == last[k] && !oldest {
				continue
			}
			why := r.name + " snapshot"
			if slot == last[k] {
				why = "oldest " + why
			}
			reasons = append(reasons, why)
			last[k] = slot
			if left[k] > 0 {
				left[k]--
			}
		}
		fates[i].Reasons = reasons
	}
}

// before is the moment a span before t.
func (s Span) before(t time.Time) time.Time {
	return t.AddDate(-s.Years, -s.Months, -s.Days).Add(-time.Duration(s.Hours) * time.Hour)
}

// What the rules tell apart, as numbers that differ. A snapshot's place is its own, for the rule of
// the last ones.

func place(_ time.Time, place int) int { return place }

func hour(t time.Time, _ int) int { return day(t, 0)*100 + t.Hour() }

func day(t time.Time, _ int) int { return month(t, 0)*100 + t.Day() }

func week(t time.Time, _ int) int {
	year, week := t.ISOWeek()
	return year*100 + week
}

func month(t time.Time, _ int) int { return t.Year()*100 + int(t.Month()) }

func year(t time.Time, _ int) int { return t.Year() }

package status

import (
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

const (
	leastGrace = 15 * time.Minute
	firstGrace = 24 * time.Hour // of the first backup of all, while it goes on
	looksBack  = 7              // good runs whose longest is what one may take
)

// facts are what makes the health of one kind of run of a job, at a moment. All times are by the
// wall clock of that moment: what this process saw happen is as old as time has passed since, also
// where somebody has set the clock.
type facts struct {
	job    string
	kind   event.Kind
	plan   Plan
	parent bool // the job stands for others

	began    time.Time // when the job was added
	good     []mark    // oldest first
	wrongAt  time.Time // when the last drill that could be tried found its snapshot wrong; zero: it did not
	failedAt time.Time // when the last run failed; zero: it did not
	future   bool      // there is one of the future

	asked    bool // the repository was asked, whatever it answered
	unread   bool // it did not answer
	running  time.Time
	queuedAt time.Time
	waited   time.Duration // for its turn, by what waits or goes on
}

// mark is a good run.
type mark struct {
	from time.Time
	took time.Duration
}

func (f facts) failed() bool { return !f.failedAt.IsZero() }

// facts are those of backups and of drills. It is called with the board's mu held, and asks no
// plan: that is not the board's own.
func (r *record) facts(now time.Time) []facts {
	all := make([]facts, 0, 2)
	for _, kind := range []event.Kind{event.Backup, event.Drill} {
		f := facts{
			job: r.Name, kind: kind, plan: r.Plans[kind], parent: r.PerDatabase,
			began: onClock(r.began, now), asked: r.seeded || r.seedError != "", unread: !r.seeded && r.seedError != "",
		}
		if run := r.running[kind]; run != nil {
			f.running, f.waited = onClock(run.Began, now), run.Waited
		} else if kind == event.Backup && !r.queuedAt.IsZero() {
			f.queuedAt = onClock(r.queuedAt, now)
			f.waited = max(now.Sub(r.queuedAt), 0)
		}
		if kind == event.Backup {
			r.backupFacts(&f, now)
		} else {
			r.drillFacts(&f, now)
		}
		if last := r.last[kind]; last.Failed() && !last.Interrupted {
			f.failedAt = onClock(last.Ended, now)
		}
		all = append(all, f)
	}
	return all
}

func (r *record) backupFacts(f *facts, now time.Time) {
	for _, b := range r.backups {
		at := onClock(b.At, now)
		if b.future || at.Sub(now) > skew {
			f.future = true
			continue
		}
		f.good = append(f.good, mark{at, b.took})
	}
	if run := r.running[event.Backup]; run != nil && !run.safe.IsZero() {
		f.good = append(f.good, mark{onClock(run.stored, now), run.safe.Sub(run.Began)})
	}
}

func (r *record) drillFacts(f *facts, now time.Time) {
	for _, d := range r.drills {
		at := onClock(d.At, now)
		switch {
		case d.future || at.Sub(now) > skew:
			f.future = true
			continue
		case d.Verdict == event.Proven:
			f.good = append(f.good, mark{at.Add(-d.took), d.took})
			f.wrongAt, f.failedAt = time.Time{}, time.Time{}
		case d.Verdict == event.Wrong:
			f.wrongAt, f.failedAt = at, at
		default:
			f.failedAt = at
		}
	}
}

// onClock is a past moment as the wall clock of now would have shown it. Times of this process know
// their age; others are what they say.
func onClock(t, now time.Time) time.Time { return now.Round(0).Add(-now.Sub(t)) }

// fresh says how long the last good one will do. It is zero where there is no plan.
func (f facts) fresh() Fresh {
	if f.plan.Next == nil || f.parent {
		return Fresh{}
	}
	var fresh Fresh
	last, longest := mark{from: f.began}, time.Duration(0)
	for i, m := range f.good {
		if fresh.Last.IsZero() || !m.from.Before(last.from) {
			last, fresh.Last = m, m.from
		}
		if len(f.good)-i <= looksBack {
			longest = max(longest, m.took)
		}
	}
	// What is due while a run goes on is not done: runs never overlap.
	fresh.Due = f.plan.Next(last.from)
	if end := last.from.Add(last.took); !fresh.Due.IsZero() && fresh.Due.Before(end) {
		fresh.Due = f.plan.Next(end)
	}
	if fresh.Due.IsZero() {
		return fresh
	}
	period := max(f.plan.Next(fresh.Due).Sub(fresh.Due), 0)
	grace := f.plan.Grace
	if grace <= 0 {
		grace = max(leastGrace, 2*longest)
	}
	fresh.Until = fresh.Due.Add(min(max(f.plan.Jitter, 0), period) + min(f.waited, period) + grace)
	if fresh.Last.IsZero() && f.plan.Grace <= 0 && f.kind == event.Backup && !f.running.IsZero() {
		fresh.Until = later(fresh.Until, f.running.Add(firstGrace))
	}
	return fresh
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// freshOf is what State says of it.
func freshOf(all []facts) map[event.Kind]Fresh {
	fresh := map[event.Kind]Fresh{}
	for _, f := range all {
		if f.plan.Next != nil && !f.parent {
			fresh[f.kind] = f.fresh()
		}
	}
	return fresh
}

package status

import (
	"maps"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// Bounds on what is remembered of a job.
const (
	mostKept    = 90 // backups, drills and runs, of each
	mostFuture  = 10 // of the backups, those that are dated in the future
	withDetails = 5  // runs whose warnings, and drills whose faults, are kept
)

// record is a job of the board. Whoever uses it holds the board's mu. What lies behind its slices
// is never changed, only replaced.
type record struct {
	Job
	began time.Time

	due      map[event.Kind]time.Time
	running  map[event.Kind]*running
	queuedAt time.Time     // zero: no run waits for its turn
	waited   time.Duration // what the run that begins next, or goes on, has waited for its turn

	last    map[event.Kind]Run
	counts  map[event.Kind]Count
	backups []backup
	drills  []drill
	runs    []Run
	kept    event.Kept

	seeded    bool
	seedError string
}

// backup is one with what the board alone needs of it.
type backup struct {
	Backup
	took     time.Duration // from the run's begin until it was safe; seeded: restic's time
	own      bool          // made by this process
	unlisted bool          // the repository was read once since, and did not tell of it
	future   bool          // dated in the future when that was read: it says nothing of freshness
}

// drill is one with what the board alone needs of it.
type drill struct {
	Drill
	took   time.Duration
	own    bool
	future bool
}

func newRecord(j Job, now time.Time) *record {
	r := &record{
		began: now, due: map[event.Kind]time.Time{}, running: map[event.Kind]*running{},
		last: map[event.Kind]Run{}, counts: map[event.Kind]Count{},
	}
	r.set(j)
	return r
}

func (r *record) set(j Job) {
	j.Plans = maps.Clone(j.Plans)
	r.Job = j
}

func (r *record) queue(waits bool, now time.Time) {
	switch {
	case waits && r.queuedAt.IsZero():
		r.queuedAt = now
	case !waits && !r.queuedAt.IsZero():
		r.waited = max(now.Sub(r.queuedAt), 0)
		r.queuedAt = time.Time{}
	}
}

// latest is what goes on, of several the run that began last; nil: nothing.
func (r *record) latest() *running {
	var found *running
	for _, run := range r.running {
		if found == nil || run.Began.After(found.Began) {
			found = run
		}
	}
	return found
}

// state is a copy of all that is known, which shares nothing with the record.
func (r *record) state(now time.Time, tables bool) State {
	s := State{
		Job: r.Job, Began: r.began, Due: maps.Clone(r.due), Queued: !r.queuedAt.IsZero(), QueuedAt: r.queuedAt,
		Last: make(map[event.Kind]Run, len(r.last)), Counts: maps.Clone(r.counts),
		Backups: make([]Backup, len(r.backups)), Kept: r.kept, Drills: make([]Drill, len(r.drills)), Runs: make([]Run, len(r.runs)),
		Seeded: r.seeded, SeedError: r.seedError,
	}
	s.Plans = maps.Clone(r.Plans)
	if run := r.latest(); run != nil {
		shown := run.shown(now)
		s.Running = &shown
	}
	for kind, run := range r.last {
		s.Last[kind] = copyRun(run)
	}
	for i, b := range r.backups {
		s.Backups[i] = b.Backup
		s.Backups[i].Tables = nil
		if tables {
			s.Backups[i].Tables = slices.Clone(b.Tables)
		}
	}
	for i, d := range r.drills {
		s.Drills[i] = d.Drill
		s.Drills[i].Wrong = slices.Clone(d.Wrong)
	}
	for i, run := range r.runs {
		s.Runs[i] = copyRun(run)
	}
	return s
}

func copyRun(r Run) Run {
	r.Warnings, r.Phases, r.Drill = slices.Clone(r.Warnings), maps.Clone(r.Phases), copyDrilled(r.Drill, mostWrong)
	return r
}

// copyDrilled is a copy, with the first n faults.
func copyDrilled(d *event.Drilled, n int) *event.Drilled {
	if d == nil {
		return nil
	}
	own := *d
	own.Wrong = slices.Clone(d.Wrong[:min(len(d.Wrong), n)])
	return &own
}

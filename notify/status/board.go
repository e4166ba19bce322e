package status

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// A Board holds what is known of all jobs. It may be used by several goroutines, and none waits for
// more than what another one copies.
type Board struct {
	now func() time.Time

	mu   sync.Mutex
	jobs []*record // in the order in which they were added
}

// A State is what is known of one job at a moment. It is a copy, and the board knows nothing of
// what becomes of it.
type State struct {
	Job
	Began time.Time // when the job was added: there may be no backup from before that

	Due      map[event.Kind]time.Time // when each is done next; what is not in it nobody has said
	Running  *Run                     // nil: nothing goes on; of several the one that began last
	Queued   bool                     // a run is due, and waits for its turn at the repository
	QueuedAt time.Time                // since when
	Last     map[event.Kind]Run       // the last run of each kind that has ended, in this process
	Counts   map[event.Kind]Count     // of the process

	Backups []Backup // oldest first, at most 90
	Kept    event.Kept
	Drills  []Drill // oldest first, at most 90
	Runs    []Run   // ended runs of any kind in this process, oldest first, at most 90: failures are among them

	// Fresh says of backups and drills how long the last good one will do. A kind that has no plan
	// is not in it, nor is anything of a job PerDatabase.
	Fresh map[event.Kind]Fresh

	// Seeded tells that what the repository holds of the job is among Backups and Drills. Until
	// then nothing is known of the time before the process, and SeedError is why, if reading it
	// failed.
	Seeded    bool
	SeedError string
}

// Fresh is how long the last good backup, or drill, will do.
type Fresh struct {
	Last  time.Time // when that was; zero: none is known
	Due   time.Time // when the next one is due after it; zero: never
	Until time.Time // when that is to be there; later the job is not healthy
}

// A Count is how many runs have ended, and how.
type Count struct {
	Succeeded, Failed int64
	Unfollowed        int64 // the snapshot is safe, and what follows it failed
	Interrupted       int64
}

// NewBoard makes a Board without jobs.
func NewBoard() *Board { return &Board{now: time.Now} }

// Add puts a job on the board, or in the place of the one of its name, whose history stays.
func (b *Board) Add(j Job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.find(j.Name); known != nil {
		known.set(j)
		return
	}
	b.jobs = append(b.jobs, newRecord(j, b.now()))
}

// Replace puts the jobs of a server's databases on the board, as they were just found, and takes
// those off that bear the same parent and are none of them. The history of those that stay stays.
func (b *Board) Replace(parent string, jobs []Job) {
	for _, j := range jobs {
		if state, known := b.Named(j.Name); !known || state.Parent == parent { // another's stays as it is
			b.Add(j)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs = slices.DeleteFunc(b.jobs, func(r *record) bool {
		return r.Parent == parent && parent != "" && !slices.ContainsFunc(jobs, func(j Job) bool { return j.Name == r.Name })
	})
}

// find is a job of the board, or nil. It is called with mu held.
func (b *Board) find(job string) *record {
	for _, r := range b.jobs {
		if r.Name == job {
			return r
		}
	}
	return nil
}

// with has something done with a job, if it is on the board.
func (b *Board) with(job string, do func(*record)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.find(job); r != nil {
		do(r)
	}
}

// Hear puts down what happens in a run of a job, which is known by event.Run's Job. It never fails
// and waits for nobody. What happens to a job that is not on the board is not put down.
func (b *Board) Hear(ctx context.Context, e event.Event) error {
	late := ctx.Err() != nil // the run has begun again, and others are told of it now
	b.with(e.Run.Job, func(r *record) { r.hear(e, late) })
	return nil
}

// Due says when something of a job is done next; zero: never.
func (b *Board) Due(job string, kind event.Kind, at time.Time) {
	b.with(job, func(r *record) {
		if at.IsZero() {
			delete(r.due, kind)
			return
		}
		r.due[kind] = at
	})
}

// Queue says that a run is due and waits for its turn, or does so no more.
func (b *Board) Queue(job string, waits bool) {
	now := b.now()
	b.with(job, func(r *record) { r.queue(waits, now) })
}

// Len is how many jobs there are.
func (b *Board) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.jobs)
}

// Jobs is what is known of all jobs, in their order, but for the tables of backups: these Named
// has, as there may be millions of them.
func (b *Board) Jobs() []State {
	now := b.now()
	b.mu.Lock()
	all := make([]State, len(b.jobs))
	facts := make([][]facts, len(b.jobs))
	for i, r := range b.jobs {
		all[i], facts[i] = r.state(now, false), r.facts(now)
	}
	b.mu.Unlock()
	for i := range all {
		all[i].Fresh = freshOf(facts[i])
	}
	return all
}

// Named is what is known of one, and whether there is one of that name.
func (b *Board) Named(job string) (State, bool) {
	now := b.now()
	var state State
	var known []facts
	found := false
	b.with(job, func(r *record) { state, known, found = r.state(now, true), r.facts(now), true })
	if found {
		state.Fresh = freshOf(known)
	}
	return state, found
}

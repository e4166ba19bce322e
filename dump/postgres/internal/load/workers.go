package load

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// workers are the connections that load one database. The first runs the dump's statements in their
// order; what may be built beside others is left to whichever is free. One goroutine leads it and
// calls its methods; each job has a goroutine of its own, which ends before close returns.
//
// A job that fails cancels the context that all work in, with its error as the cause: of several
// failures that is the first.
//
// Why this ends: a job waits for the server alone, or for rows that fail with the load, and when it
// is done there is room for its session in done. The leader waits for done while some job runs, or
// for the end of the context; words of the rows, and a timer, end a wait early. What waits to begin
// does so as soon as nothing that runs stands in its way, on the first session at the latest, which
// is free when nothing runs. What is held back (see heldBack) waits for that timer at most, and not
// at all where the leader waits for it.
type workers struct {
	fail context.CancelCauseFunc // of the context that is handed to the methods
	join func(context.Context) (*session, error)
	left int // sessions that may still join

	first   *session
	free    []*session // besides the first
	busy    map[*session]*job
	waiting []*job        // in the order of the dump
	fills   bool          // rows come next
	many    bool          // and have turned out to be many
	done    chan *session // has room for all
	more    chan struct{} // told that the rows that the first session sends could do with another; it has room for one word
	long    chan struct{} // told that these rows are many; the same
	warn    func(string)

	refused func(*job) // is told each job that is done, by the goroutine that leads
}

// mostWaiting bounds what is remembered of a dump that is read faster than its indexes are built.
const mostWaiting = 1000

// newWorkers returns workers of at most n sessions. Those besides the first join when there is
// something for them to do.
func newWorkers(first *session, n int, join func(context.Context) (*session, error), fail context.CancelCauseFunc, warn func(string), refused func(*job)) *workers {
	return &workers{
		fail: fail, join: join, left: n - 1, first: first, warn: warn, refused: refused,
		busy: map[*session]*job{}, done: make(chan *session, n), more: make(chan struct{}, 1), long: make(chan struct{}, 1),
	}
}

// runOnFirst runs a job on the first session and returns when it is done. What others are building
// goes on, and what waits for them.
func (w *workers) runOnFirst(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if j.item.Kind == dump.Rows {
		w.deal(j)
	}
	w.start(ctx, w.first, j)
	if err := w.workUntil(ctx, false, func() bool { return !w.helped(j) }); err != nil {
		return err // with helpers that still run
	}
	for _, h := range j.helpers {
		j.rows.Plus(h.rows)
		j.bytes += h.bytes
	}
	return nil
}

// deal prepares the rows of a job that the first session runs.
func (w *workers) deal(j *job) {
	if w.first.spares == nil {
		w.first.spares = newSpares(cap(w.done))
	}
	var more chan<- struct{}
	if j.spreads {
		more = w.more
	}
	rows := pieces(j.item)
	if w.first.goesOn {
		rows = counted(rows, &j.read)
	}
	j.rowsOf = newDealing(rows, w.first.spares, more, w.long)
}

// help starts another session on the rows that the first one sends, if there are some to be shared
// and one is idle: what waits to be built comes before.
func (w *workers) help(ctx context.Context) {
	j := w.busy[w.first]
	if j == nil || !j.spreads {
		return
	}
	if s := w.idle(ctx, false); s != nil {
		h := &job{item: j.item, plan: j.plan, set: j.set, rowsOf: j.rowsOf, helps: true}
		j.helpers = append(j.helpers, h)
		w.start(ctx, s, h)
	}
}

// helped tells whether another session still helps with a job.
func (w *workers) helped(j *job) bool {
	for _, other := range w.busy {
		if slices.Contains(j.helpers, other) {
			return true
		}
	}
	return false
}

// leave leaves a job to whoever is free, once nothing that came before it stands in its way.
//
// It begins when there is something else to do, or nothing: what comes next in the dump says
// whether it is the only thing to be done.
func (w *workers) leave(ctx context.Context, j *job) error {
	j.left = time.Now()
	w.waiting = append(w.waiting, j)
	if len(w.waiting) < mostWaiting {
		return context.Cause(ctx)
	}
	return w.workUntil(ctx, true, func() bool { return len(w.waiting) < mostWaiting })
}

// finishAll returns when everything is done.
func (w *workers) finishAll(ctx context.Context) error {
	return w.workUntil(ctx, true, func() bool { return len(w.waiting)+len(w.busy) == 0 })
}

// finishConflicting returns when nothing is left that conflicts with the touches.
func (w *workers) finishConflicting(ctx context.Context, touches []touch) error {
	return w.workUntil(ctx, true, func() bool { return !w.conflict(touches) })
}

// workUntil lets them work until the first session is free and the condition holds, or the context
// is cancelled. Where the first one helps, it takes jobs too.
func (w *workers) workUntil(ctx context.Context, helps bool, holds func() bool) error {
	for ctx.Err() == nil {
		held := w.startWaiting(ctx, helps && !holds())
		if w.busy[w.first] == nil && holds() {
			return context.Cause(ctx)
		}
		select {
		case s := <-w.done:
			w.finished(s)
		case <-w.more:
			w.many = true
			w.startWaiting(ctx, false)
			w.help(ctx)
		case <-w.long:
			w.many = true
		case <-held:
		case <-ctx.Done(): // perhaps since startWaiting, which then has begun nothing that would be done
		}
	}
	return context.Cause(ctx)
}

func (w *workers) finished(s *session) {
	w.refused(w.busy[s])
	delete(w.busy, s)
	if s != w.first {
		w.free = append(w.free, s)
	}
}

// startWaiting starts the waiting jobs that may begin, as far as there are sessions. What it
// returns tells when one may that was held back; nil: none was.
func (w *workers) startWaiting(ctx context.Context, helps bool) (held <-chan time.Time) {
	for len(w.done) > 0 {
		w.finished(<-w.done)
	}
	const never time.Duration = math.MaxInt64
	soonest := never
	for _, j := range w.ready() {
		if wait := w.heldBack(j); wait > 0 && !helps {
			soonest = min(soonest, wait)
			continue
		}
		s := w.idle(ctx, helps)
		if s == nil {
			break
		}
		w.waiting = slices.DeleteFunc(w.waiting, func(other *job) bool { return other == j })
		j.only = w.isOnly(j)
		w.start(ctx, s, j)
	}
	if soonest == never {
		return nil
	}
	return time.After(soonest)
}

// ready lists the waiting jobs that nothing which came before them stands in the way of, the
// longest first: one that is begun last keeps everybody waiting. None of them conflicts with
// another.
func (w *workers) ready() (list []*job) {
	held := w.held()
	for _, j := range w.waiting {
		if !held.conflict(j.plan.touches) {
			list = append(list, j)
		}
		held.add(j.plan.touches)
	}
	slices.SortStableFunc(list, func(a, b *job) int {
		return cmp.Or(cmp.Compare(a.plan.kind, b.plan.kind), cmp.Compare(b.over, a.over))
	})
	return list
}

// idle returns a session that has nothing to do, or nil.
func (w *workers) idle(ctx context.Context, helps bool) *session {
	if ctx.Err() != nil {
		return nil
	}
	if n := len(w.free); n > 0 {
		s := w.free[n-1]
		w.free = w.free[:n-1]
		return s
	}
	if w.left > 0 {
		s, err := w.join(ctx)
		if err == nil {
			w.left--
			return s
		}
		w.left = 0
		if ctx.Err() == nil {
			w.warn(fmt.Sprintf("the load goes on with fewer connections than it might: %v", err))
		}
	}
	if helps && w.busy[w.first] == nil {
		return w.first
	}
	return nil
}

func (w *workers) start(ctx context.Context, s *session, j *job) {
	w.busy[s] = j
	go func() {
		if err := s.runJob(ctx, j); err != nil {
			w.fail(err)
		}
		w.done <- s
	}()
}

// conflict tells whether something that runs or waits conflicts with the touches.
func (w *workers) conflict(touches []touch) bool {
	held := w.held()
	for _, j := range w.waiting {
		held.add(j.plan.touches)
	}
	return held.conflict(touches)
}

// held is what the running jobs touch.
func (w *workers) held() hold {
	held := hold{}
	for _, j := range w.busy {
		held.add(j.plan.touches)
	}
	return held
}

// close ends all work and all sessions.
func (w *workers) close() {
	for len(w.busy) > 0 {
		w.finished(<-w.done)
	}
	var all sync.WaitGroup
	for _, s := range append(w.free, w.first) {
		all.Go(s.close) // at once: each may take its time, where the server is not to be reached
	}
	all.Wait()
}

// A hold is relations, with whether somebody is alone at them.
type hold map[string]bool

func (held hold) add(touches []touch) {
	for _, t := range touches {
		held[t.relation] = held[t.relation] || !t.shared
	}
}

func (held hold) conflict(touches []touch) bool {
	for _, t := range touches {
		if alone, ok := held[t.relation]; ok && (alone || !t.shared) {
			return true
		}
	}
	return false
}

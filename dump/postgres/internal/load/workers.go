package load

import (
	"context"
	"fmt"
	"sync"
)

// A crew is the connections that load one database. The first runs the dump's statements in their
// order; what may be built beside others is left to whichever is free. One goroutine leads it and
// calls its methods; each job has a goroutine of its own, which ends before close returns.
//
// A job that fails cancels the context that all work in, with its error as the cause: of several
// failures that is the first.
type crew struct {
	fail context.CancelCauseFunc // of the context that is handed to the methods
	join func(context.Context) (*session, error)
	more int // sessions that may still join

	first   *session
	free    []*session // besides the first
	busy    map[*session]*job
	waiting []*job        // in the order of the dump
	done    chan *session // has room for all
	warn    func(string)
}

// mostWaiting bounds what is remembered of a dump that is read faster than its indexes are built.
const mostWaiting = 1000

// newCrew returns a crew of at most n sessions. Those besides the first join when there is
// something for them to do.
func newCrew(first *session, n int, join func(context.Context) (*session, error), fail context.CancelCauseFunc, warn func(string)) *crew {
	return &crew{
		fail: fail, join: join, more: n - 1, first: first, warn: warn,
		busy: map[*session]*job{}, done: make(chan *session, n),
	}
}

// do runs a job on the first session and returns when it is done. What others are building goes on,
// and what waits for them.
func (c *crew) do(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c.begin(ctx, c.first, j)
	return c.until(ctx, false, func() bool { return true })
}

// add leaves a job to whoever is free, once nothing that came before it stands in its way.
func (c *crew) add(ctx context.Context, j *job) error {
	c.waiting = append(c.waiting, j)
	c.spread(ctx, false)
	if len(c.waiting) < mostWaiting {
		return context.Cause(ctx)
	}
	return c.until(ctx, true, func() bool { return len(c.waiting) < mostWaiting })
}

// settle returns when everything is done.
func (c *crew) settle(ctx context.Context) error {
	return c.until(ctx, true, func() bool { return len(c.waiting)+len(c.busy) == 0 })
}

// settled returns when nothing is left that conflicts with the touches.
func (c *crew) settled(ctx context.Context, touches []touch) error {
	return c.until(ctx, true, func() bool { return !c.concerns(touches) })
}

// until lets the crew work until the first session is free and the condition holds, or the context
// is cancelled. Where the first one helps, it takes jobs too.
func (c *crew) until(ctx context.Context, helps bool, holds func() bool) error {
	for ctx.Err() == nil {
		c.spread(ctx, helps && !holds())
		if c.busy[c.first] == nil && holds() {
			return context.Cause(ctx)
		}
		c.finished(<-c.done)
	}
	return context.Cause(ctx)
}

func (c *crew) finished(s *session) {
	delete(c.busy, s)
	if s != c.first {
		c.free = append(c.free, s)
	}
}

// spread begins every waiting job that may begin, as far as there are sessions.
func (c *crew) spread(ctx context.Context, helps bool) {
	for len(c.done) > 0 {
		c.finished(<-c.done)
	}
	held := c.held()
	rest := c.waiting[:0]
	for i, j := range c.waiting {
		var s *session
		if !held.conflict(j.plan.touches) {
			if s = c.next(ctx, helps); s == nil {
				rest = append(rest, c.waiting[i:]...)
				break
			}
			c.begin(ctx, s, j)
		} else {
			rest = append(rest, j)
		}
		held.add(j.plan.touches)
	}
	clear(c.waiting[len(rest):])
	c.waiting = rest
}

// next returns a session that has nothing to do, or nil.
func (c *crew) next(ctx context.Context, helps bool) *session {
	if ctx.Err() != nil {
		return nil
	}
	if n := len(c.free); n > 0 {
		s := c.free[n-1]
		c.free = c.free[:n-1]
		return s
	}
	if c.more > 0 {
		s, err := c.join(ctx)
		if err == nil {
			c.more--
			return s
		}
		c.more = 0
		if ctx.Err() == nil {
			c.warn(fmt.Sprintf("the load goes on with fewer connections than it might: %v", err))
		}
	}
	if helps && c.busy[c.first] == nil {
		return c.first
	}
	return nil
}

func (c *crew) begin(ctx context.Context, s *session, j *job) {
	c.busy[s] = j
	go func() {
		if err := s.run(ctx, j); err != nil {
			c.fail(err)
		}
		c.done <- s
	}()
}

// concerns tells whether something that runs or waits conflicts with the touches.
func (c *crew) concerns(touches []touch) bool {
	held := c.held()
	for _, j := range c.waiting {
		held.add(j.plan.touches)
	}
	return held.conflict(touches)
}

// held is what the running jobs touch.
func (c *crew) held() hold {
	held := hold{}
	for _, j := range c.busy {
		held.add(j.plan.touches)
	}
	return held
}

// close ends all work and all sessions.
func (c *crew) close() {
	for len(c.busy) > 0 {
		c.finished(<-c.done)
	}
	var all sync.WaitGroup
	for _, s := range append(c.free, c.first) {
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

package load

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// workers are the sessions that load rows and build indexes, besides the one that runs a dump's
// statements in their order. One goroutine leads it and calls its methods; each session has a
// goroutine of its own, which ends before close returns.
//
// A job that fails cancels the context that all work in, with its error as the cause: of several
// failures that is the first.
type workers struct {
	all     []*worker
	fail    context.CancelCauseFunc // of the context that is handed to the methods
	jobs    chan func(*worker)
	room    *semaphore.Weighted // bytes of statements that were handed out and not yet run
	rows    sync.WaitGroup      // the jobs that load rows
	builds  sync.WaitGroup      // and those that build indexes
	working sync.WaitGroup      // the workers
}

// Why this ends: a worker waits for its next job or for the server, for nothing of ours. So
// whatever the leader waits for, a worker that is free, room for a statement, the end of all jobs,
// comes when the server has done what it was told. It may be told what must wait for another
// worker's transaction only where rows that the dump has twice collide, and there the server's own
// bound ends the wait. A job that fails cancels what the leader waits with, but not its waits for
// the end of all jobs: these the cancelled context brings about.

// A worker is one of the sessions.
type worker struct {
	conn    *server.Conn
	adopted int  // how many of the dump's settings it has made its own
	open    bool // a transaction
}

// workersRoom bounds the statements that workers hold, in bytes. A longer one goes alone.
const workersRoom = 16 << 20

// newWorkers returns the workers on the sessions given, which they own from now on.
func newWorkers(fail context.CancelCauseFunc, conns []*server.Conn) *workers {
	c := &workers{fail: fail, jobs: make(chan func(*worker)), room: semaphore.NewWeighted(workersRoom)}
	for _, conn := range conns {
		m := &worker{conn: conn}
		c.all = append(c.all, m)
		c.working.Go(func() {
			for job := range c.jobs {
				job(m)
			}
		})
	}
	return c
}

// load leaves an INSERT to whoever is free. It runs in the transaction that the worker begins, and
// commit ends.
func (c *workers) load(ctx context.Context, sql string, run func(context.Context, *worker) error) error {
	return c.give(ctx, &c.rows, len(sql), func(m *worker) error { return run(ctx, m) })
}

// build leaves a statement that may take long, of a table whose rows are committed, to whoever is
// free. There is one at a time, as those of tables that foreign keys join could be in each other's
// way.
func (c *workers) build(ctx context.Context, run func(context.Context, *worker) error) error {
	c.builds.Wait()
	return c.give(ctx, &c.builds, 0, func(m *worker) error { return run(ctx, m) })
}

func (c *workers) give(ctx context.Context, group *sync.WaitGroup, size int, run func(*worker) error) error {
	weight := int64(min(size, workersRoom))
	if err := c.room.Acquire(ctx, weight); err != nil {
		return context.Cause(ctx)
	}
	group.Add(1)
	end := func() {
		c.room.Release(weight)
		group.Done()
	}
	job := func(m *worker) {
		defer end()
		if err := run(m); err != nil {
			c.fail(err)
		}
	}
	select {
	case c.jobs <- job:
		return nil
	case <-ctx.Done():
		end()
		return context.Cause(ctx)
	}
}

// commit returns when the rows are loaded and committed. What is being built goes on.
func (c *workers) commit(ctx context.Context) error {
	c.rows.Wait()
	for _, m := range c.all {
		if !m.open || ctx.Err() != nil {
			continue
		}
		if err := m.conn.Exec(ctx, "COMMIT"); err != nil {
			return fmt.Errorf("COMMIT: %w", err)
		}
		m.open = false
	}
	return context.Cause(ctx)
}

// settle returns when everything is done.
func (c *workers) settle(ctx context.Context) error {
	c.rows.Wait()
	c.builds.Wait()
	return context.Cause(ctx)
}

// close ends the sessions. Whoever is at work ends first, which a cancelled context makes soon.
func (c *workers) close() {
	close(c.jobs)
	c.working.Wait()
	for _, m := range c.all {
		m.conn.Close()
	}
}

// begin begins a transaction, where the session is in none.
func (m *worker) begin(ctx context.Context) error {
	if m.open {
		return nil
	}
	err := m.conn.Exec(ctx, "START TRANSACTION")
	m.open = err == nil
	return err
}

// adopt makes the dump's settings the session's own, in their order.
func (m *worker) adopt(ctx context.Context, settings []string) error {
	for ; m.adopted < len(settings); m.adopted++ {
		if err := m.conn.Exec(ctx, settings[m.adopted]); err != nil {
			return fmt.Errorf("%s: %w", script.Head(settings[m.adopted]), err)
		}
	}
	return nil
}

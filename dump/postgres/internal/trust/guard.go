package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Guard sees to it that what is planned of a table is what was looked at: that nobody puts code
// of his own in the planner's way between the look and the plan. It is a session of its own beside
// those that read.
//
// From a table's first piece to its last it holds SHARE UPDATE EXCLUSIVE on the table, which keeps
// everybody from adding indexes and statistics, and hinders neither reads nor writes of rows.
// Whoever asks in the meantime for a lock that writers would queue behind (CREATE INDEX is one) is
// let through within watchEvery. CREATE INDEX CONCURRENTLY, VACUUM and ANALYZE wait; the first two
// could not end, or not do much, before the dump's snapshot does.
//
// While a piece is planned, and until the first of its rows are there, which is some milliseconds
// where nothing has to be sorted, it also holds SHARE on pg_namespace: tables are named by their
// schema, and a schema that is renamed and replaced in that moment would put another table in the
// place of the one that was looked at. Renaming and making schemas waits for that long.
//
// Who waits for whom: a reader waits for the guard while another's piece is planned, which ends
// with the server's first rows of it, and the other waits for nothing else meanwhile; and while
// pieces of tables before are not planned yet. Tables have their turn in the order of the queue:
// whoever has an earlier piece has received all that he took before it, or receives it while the
// writer empties what lies before, and comes to his piece. (Were a later table served first, its
// readers could fill their buffers while the writer waits for a piece of a reader that waits here.)
// The guard waits for locks in the server, each time for a bounded one. Since it holds ACCESS SHARE
// from the beginning it never queues behind somebody who waits for the dump to end.
type Guard struct {
	open     func(context.Context) (*pgx.Conn, error)
	version  int           // of the server
	patience time.Duration // for a lock that was let go of in the midst of a table

	turn     *semaphore.Weighted // held by whoever uses what follows
	moved    chan struct{}       // closed, and made anew, when the guard is done with a table
	conn     *pgx.Conn           // nil until the first table
	table    *Table              // the one that is held, or was refused; nil: none
	todo     int                 // pieces of table that are not planned yet
	next     int                 // the number of the table whose turn it is, or is next
	state    guardState
	sampling bool  // the table is not being read yet
	full     error // the server's word that it has no room for the session
}

// A Table is what the guard has to know of one.
type Table struct {
	Name string // qualified and quoted
	OID  uint32
}

// A Moment is what a piece of a table wants to be planned in.
type Moment struct {
	Table
	Of     int // pieces that the table has
	Number int // of its table among those that are watched, from 0; or unnumbered
}

// unnumbered is the number of what is planned before any piece is read.
const unnumbered = -1

type guardState int

const (
	idle    guardState = iota
	holding            // the lock on the table
	letGo              // of the lock, for somebody who waited
	refused            // the table is not to be planned
)

// How long the guard waits for a lock: before a table is begun, where the alternative is to read it
// as it lies; an autovacuum gives way after a second.
const guardWait = 3 * time.Second

// watchEvery is how often the guard looks for others that wait for it.
const watchEvery = 500 * time.Millisecond

// NewGuard returns the guard of a dump of a database, in which open opens a session. Whoever calls
// it closes it. lockTimeout is how long the dump waits for a lock at its beginning.
func NewGuard(srv server.Info, lockTimeout time.Duration, open func(context.Context) (*pgx.Conn, error)) *Guard {
	// Somebody who was let through may build an index for longer.
	patience := max(lockTimeout, 10*time.Minute)
	return &Guard{open: open, version: srv.Version, patience: patience, turn: semaphore.NewWeighted(1), moved: make(chan struct{})}
}

// Borrow runs f on the guard's session, in which no transaction is begun, and in nobody's moment.
// Where f waits for a lock it does so for patience at most.
func (g *Guard) Borrow(ctx context.Context, f func(conn *pgx.Conn, patience time.Duration) error) error {
	if err := g.turn.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	defer g.turn.Release(1)
	if err := g.connect(ctx); err != nil {
		return err
	}
	return f(g.conn, g.patience)
}

// During runs f on the guard's session while t is safe to be planned, and reports false where it is
// not. No reader may have been begun.
func (g *Guard) During(ctx context.Context, t Table, f func(*pgx.Conn) error) (bool, error) {
	safe, err := g.Enter(ctx, Moment{Table: t, Of: 1, Number: unnumbered})
	if err != nil || !safe {
		return false, err
	}
	return true, cmp.Or(f(g.conn), g.Leave(ctx, true))
}

// Enter begins a moment in which a piece may be planned; leave ends it. It reports false where its
// table must not be planned, which is so then for all of its pieces, and no moment has begun.
func (g *Guard) Enter(ctx context.Context, m Moment) (safe bool, err error) {
	for {
		if err := g.turn.Acquire(ctx, 1); err != nil {
			return false, context.Cause(ctx)
		}
		if m.Number == g.next || m.Number == unnumbered && g.table == nil {
			break
		}
		// Pieces of tables before are still to be planned, by readers that have them already.
		moved := g.moved
		g.turn.Release(1)
		select {
		case <-moved:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	if g.table == nil {
		g.table, g.todo, g.state, g.sampling = &m.Table, m.Of, idle, m.Number == unnumbered
		err = g.begin(ctx)
	}
	if err == nil {
		safe, err = g.admit(ctx)
	}
	if err != nil {
		err = fmt.Errorf("keep %s from being given an index: %w", m.Name, err)
	}
	if !safe {
		err = cmp.Or(err, g.planned(ctx))
		g.turn.Release(1)
	}
	return safe, err
}

// Leave ends a moment. The piece was planned, or will have to be in another one.
func (g *Guard) Leave(ctx context.Context, planned bool) error {
	defer g.turn.Release(1)
	err := g.exec(ctx, "ROLLBACK TO moment; RELEASE moment")
	if planned {
		err = cmp.Or(err, g.planned(ctx))
	}
	return err
}

// planned counts a piece, and lets go of the table after the last.
func (g *Guard) planned(ctx context.Context) error {
	if g.todo--; g.todo > 0 {
		return nil
	}
	state := g.state
	g.table, g.state = nil, idle
	if !g.sampling {
		g.next++
	}
	close(g.moved)
	g.moved = make(chan struct{})
	if state == refused || g.conn == nil {
		return nil
	}
	return g.exec(ctx, "ROLLBACK")
}

// admit makes the table one that may be planned, and keeps it so. Before its first piece it may be
// refused; later that is an error.
func (g *Guard) admit(ctx context.Context) (bool, error) {
	deadline := time.Now().Add(g.patience)
	first := g.state == idle
	for g.state != refused {
		err := g.look(ctx)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case first && (server.IsLocked(err) || server.IsForbidden(err) || errors.Is(err, ErrUsersCode)):
			return false, g.refuse(ctx)
		case !server.IsLocked(err):
			return false, err
		case time.Now().After(deadline):
			return false, fmt.Errorf("somebody holds a lock on it, or on the list of schemas: %w", err)
		}
	}
	return false, nil
}

var ErrUsersCode = errors.New("planning it would run code of the database's users, which somebody has added since the dump began to read it; run the backup again: it will be read as it lies")

// connect opens the session, once. Where the server has no room for it, it has none later.
func (g *Guard) connect(ctx context.Context) error {
	if g.conn == nil && g.full == nil {
		conn, err := g.open(ctx)
		if server.IsCrowded(err) {
			g.full = err
		}
		if err != nil {
			return err
		}
		g.conn = conn
	}
	return g.full
}

// begin opens a transaction in which the guard has the weakest lock on the table.
func (g *Guard) begin(ctx context.Context) error {
	err := g.connect(ctx)
	if server.IsCrowded(err) {
		g.state = refused
		return nil
	}
	if err != nil {
		return err
	}
	err = g.exec(ctx, fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; SET LOCAL lock_timeout = %d; LOCK TABLE ONLY %s IN ACCESS SHARE MODE; SAVEPOINT held",
		guardWait.Milliseconds(), g.table.Name))
	if server.IsLocked(err) || server.IsForbidden(err) {
		return g.refuse(ctx)
	}
	return err
}

// look takes what locks are missing and looks at what the planner would meet. A lock that is not to
// be had costs the others too.
func (g *Guard) look(ctx context.Context) error {
	lock, met := "", ""
	if g.state != holding { // else nobody could add anything since the look before
		lock = "LOCK TABLE ONLY " + g.table.Name + " IN SHARE UPDATE EXCLUSIVE MODE; "
		met = " OR EXISTS (" + usersCode(fmt.Sprintf("part.relation = %d", g.table.OID), g.version) + ")"
	}
	sql := lock + "SAVEPOINT moment; LOCK TABLE pg_catalog.pg_namespace IN SHARE MODE; " +
		fmt.Sprintf("SELECT pg_catalog.to_regclass(%s) IS DISTINCT FROM %d::pg_catalog.oid", server.Literal(g.table.Name), g.table.OID) + met
	results, err := g.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err == nil && string(results[len(results)-1].Rows[0][0]) == "t" {
		err = ErrUsersCode
	}
	if err != nil {
		if g.state == holding {
			g.state = letGo
		}
		return cmp.Or(err, g.exec(ctx, "ROLLBACK TO held"))
	}
	g.state = holding
	return nil
}

// refuse notes that the table is not to be planned, and gives all locks back.
func (g *Guard) refuse(ctx context.Context) error {
	g.state = refused
	return g.exec(ctx, "ROLLBACK")
}

// Watch lets others through who wait for a lock behind which writers queue, until the context ends.
func (g *Guard) Watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := g.turn.Acquire(ctx, 1); err != nil {
			return nil
		}
		err := g.giveWay(ctx)
		g.turn.Release(1)
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (g *Guard) giveWay(ctx context.Context) error {
	if g.table == nil || g.state != holding {
		return nil
	}
	results, err := g.conn.PgConn().Exec(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE relation = %d AND NOT granted
		AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
		AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock'))`, g.table.OID)).ReadAll()
	if err == nil && string(results[0].Rows[0][0]) == "t" {
		g.state = letGo
		err = g.exec(ctx, "ROLLBACK TO held")
	}
	if err != nil {
		return fmt.Errorf("watch over %s: %w", g.table.Name, err)
	}
	return nil
}

func (g *Guard) exec(ctx context.Context, sql string) error {
	return server.Exec(ctx, g.conn.PgConn(), sql)
}

// Close ends the session.
func (g *Guard) Close() {
	if g.conn != nil {
		server.HangUp(g.conn)
	}
}

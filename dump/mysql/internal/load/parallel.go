package load

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// gather opens the workers' sessions when they are needed first.
func (d *nativeDump) gather(ctx context.Context) error {
	if d.workers != nil {
		return nil
	}
	var conns []*server.Conn
	for range d.cfg.Jobs {
		c, err := d.open(ctx)
		if server.IsError(err, server.CodeTooManyConnections, server.CodeTooManyForUser, server.CodeTooManyForUserSince) {
			d.cfg.Warn(fmt.Sprintf("the rows are loaded on fewer connections than RESTORE_JOBS says: %v", err))
			break
		}
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return err
		}
		conns = append(conns, c)
	}
	if d.alone = len(conns) == 0; d.alone {
		return nil
	}
	if d.srv.IsMariaDB() {
		// Into an empty table MariaDB loads in bulk where it need not check for duplicates, and
		// keeps others out of the table meanwhile.
		d.settings = append(d.settings, "SET unique_checks = 1")
	}
	d.workers = newWorkers(d.fail, conns)
	return nil
}

// spread leaves an INSERT to the workers.
func (d *nativeDump) spread(ctx context.Context, st statement) error {
	for part := range script.Split(st.sql, d.packet-server.PacketHead, d.mode) {
		alone := len(part) >= workersRoom
		sql := borrowed(part)
		if !alone {
			sql = string(part) // as the next one is read while this one runs
		}
		one := st
		one.sql = bytesOf(sql)
		if err := d.workers.load(ctx, sql, d.job(one, d.begin)); err != nil {
			return err
		}
		if alone {
			d.workers.rows.Wait()
		}
	}
	return nil
}

// build leaves it to the workers to build indexes.
func (d *nativeDump) build(ctx context.Context, st statement) error {
	st.sql = bytes.Clone(st.sql)
	return d.workers.build(ctx, d.job(st, func(*worker, context.Context) error { return nil }))
}

// begin begins the transaction that rows are loaded in. Where the load goes on behind what the
// server refuses each statement is one: what a session waits for that another one holds, as where
// the dump has a row twice, is then let go of at once, and what is undone is only what is told.
func (d *nativeDump) begin(m *worker, ctx context.Context) error {
	if d.refusals.goesOn() {
		return nil
	}
	return m.begin(ctx)
}

// job runs a statement in whatever session, with the settings that the dump has made so far: some
// can only be made before the transaction begins.
func (d *nativeDump) job(st statement, begin func(*worker, context.Context) error) func(context.Context, *worker) error {
	settings := slices.Clip(d.settings)
	return func(ctx context.Context, m *worker) error {
		err := m.adopt(ctx, settings)
		if err == nil {
			err = begin(m, ctx)
		}
		if err == nil {
			_, err = d.exec(ctx, m.conn, borrowed(st.sql))
			// Sessions can be in each other's way. Alone in its transaction a statement is undone
			// then, and may come in when the other's is done.
			for tries := 0; tries < 5 && d.refusals.goesOn() && server.IsError(err, server.CodeDeadlock); tries++ {
				_, err = d.try(ctx, m.conn, borrowed(st.sql))
			}
			err = d.pass(st, err)
		}
		return atLine(st.line, err)
	}
}

package load

import (
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
		if err := d.workers.load(ctx, sql, d.job(st.line, sql, (*worker).begin)); err != nil {
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
	return d.workers.build(ctx, d.job(st.line, string(st.sql), func(*worker, context.Context) error { return nil }))
}

// job runs a statement of that line in whatever session, with the settings that the dump has made
// so far: some can only be made before the transaction begins.
func (d *nativeDump) job(line int, sql string, begin func(*worker, context.Context) error) func(context.Context, *worker) error {
	settings := slices.Clip(d.settings)
	return func(ctx context.Context, m *worker) error {
		err := m.adopt(ctx, settings)
		if err == nil {
			err = begin(m, ctx)
		}
		if err == nil {
			err = d.exec(ctx, m.conn, sql)
		}
		return atLine(line, err)
	}
}

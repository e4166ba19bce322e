// Package server is a session with a MySQL or MariaDB server: how it is reached, encrypted and
// bounded, whose it is, the settings that a dump or a load needs of it, what its account may do and
// see, and what the server's errors mean.
//
// It knows nothing of what databases hold beyond names, and nothing of dumps; that is for the
// packages catalog and load. What it returns of a server is as it was sent: whoever puts it into a
// dump holds it against what it should be.
package server

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Conn is one session with a server.
type Conn struct {
	Info
	db   *sql.DB
	sql  *sql.Conn
	last *lastWords

	watched *watchedConn // nil: it is to this machine
	answer  *answeringConn
}

// firstAnswer bounds the wait for the answer to what is asked first in a session. A proxy may have
// clients wait for a server; others answer it themselves.
const firstAnswer = 2 * time.Minute

// Connect opens a connection and asks who is there. cc.Timeout bounds the whole handshake; the
// driver itself takes it as the time to dial. cc.MaxAllowedPacket bounds what the server sends; the
// driver itself takes it for what it is sent.
func Connect(ctx context.Context, cc *mysql.Config) (*Conn, error) {
	cc = cc.Clone()
	c := &Conn{last: &lastWords{}}
	cc.Logger = c.last
	watched, answering := watch(cc), bound(cc, int64(cc.MaxAllowedPacket))
	connector, err := mysql.NewConnector(cc)
	if err != nil {
		return nil, err
	}
	c.db = sql.OpenDB(connector)
	shaking, cancel := within(ctx, cc.Timeout)
	c.sql, err = c.db.Conn(shaking)
	if err != nil {
		err = c.Explain(shaking, err)
	}
	c.answer = answering()
	if c.watched = watched(); c.watched != nil && c.watched.refused != nil {
		err = c.watched.refused
	}
	cancel()
	if err != nil {
		c.db.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	asking, cancel := within(ctx, firstAnswer)
	defer cancel()
	var text string
	var folds bool
	if err := c.Row(asking, "SELECT VERSION(), @@lower_case_table_names <> 0", &text, &folds); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect: read the server's version: %w", err)
	}
	srv, err := parseVersion(text)
	srv.folds = folds
	c.Info = srv
	if err == nil && srv.Version.Less(oldest[srv.Family]) {
		err = fmt.Errorf("the server is %s %s; %s or newer is needed", srv.Family, srv.Version, oldest[srv.Family])
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// within bounds what a server may take for an answer. 0 means no bound.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%w, which is %s", dump.ErrNoAnswer, d))
}

// Close ends the session. What the server thinks of it is of no interest.
func (c *Conn) Close() {
	c.sql.Close()
	c.db.Close()
}

// Exec runs a statement that returns nothing of interest.
func (c *Conn) Exec(ctx context.Context, query string) error {
	_, err := c.sql.ExecContext(ctx, query)
	return c.Explain(ctx, err)
}

// Row reads the one row of a query.
func (c *Conn) Row(ctx context.Context, query string, into ...any) error {
	return c.Explain(ctx, c.sql.QueryRowContext(ctx, query).Scan(into...))
}

// Change runs a statement and tells how many rows it has changed.
func (c *Conn) Change(ctx context.Context, query string) (rows int64, err error) {
	result, err := c.sql.ExecContext(ctx, query)
	if err != nil {
		return 0, c.Explain(ctx, err)
	}
	return result.RowsAffected()
}

// Raw hands the driver's own connection to use, which may not keep it.
func (c *Conn) Raw(use func(DriverConn) error) error {
	return c.sql.Raw(func(raw any) error { return use(raw.(DriverConn)) })
}

// DriverConn is the driver's connection, as far as it is used here: its rows are not copied.
type DriverConn interface {
	driver.QueryerContext
	driver.ExecerContext
}

// NextRow is called before each row that the driver's own connection is asked for: what it may be
// long is counted anew.
func (c *Conn) NextRow() { c.answer.begin() }

// Package rows is how what a database holds leaves it: tables cut into pieces, the connections that
// read pieces ahead on one snapshot, the queue that passes them on in their order, and the writing
// of them as COPY blocks, counted and hashed; and large objects' contents and where sequences
// stand. Which tables there are, and in what order they come, is the catalogue's to say; whether
// one may be planned, trust's.
package rows

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
)

// A Config says how what a database holds is read.
type Config struct {
	// Database goes before the tables' names in the manifest, quoted, in a dump of several. Empty:
	// of one.
	Database string
	// Order is the order in which rows leave.
	Order Order
	// Jobs is the number of connections that read rows, besides the dump's own.
	Jobs int
	// Open opens another session of the dump's in its database.
	Open func(context.Context) (*pgx.Conn, error)
	// LockTimeout bounds the wait for a lock at the beginning of the dump. 0 means no bound.
	LockTimeout time.Duration
	// TrustOwners says that the owners of tables and schemas may run code as the dumping role.
	TrustOwners bool
	// Table is told each table whose rows have all been written, by the goroutine that writes.
	Table func(dump.Table)
	// Debug is told of choices made on the way, Warn what the operator should know.
	Debug, Warn func(string)
}

// A data is what a database holds besides definitions: rows, large objects' contents, sequences'
// states.
type data struct {
	conn  *pgx.Conn // the dump's own, in its transaction
	srv   server.Info
	cfg   Config
	guard *trust.Guard
}

// New reads in the transaction that conn is in, and beside it. Whoever calls it closes it; conn
// stays the caller's.
func New(conn *pgx.Conn, srv server.Info, cfg Config) *data {
	return &data{conn, srv, cfg, trust.NewGuard(srv, cfg.LockTimeout, cfg.Open)}
}

// Close ends the sessions that were opened beside.
func (d *data) Close() { d.guard.Close() }

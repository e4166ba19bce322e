package load

import (
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A session is one connection of a load, and what statements of the dump have set in it.
type session struct {
	conn    *pgx.Conn
	srv     server.Info
	set     settings
	reading sync.WaitGroup // the rows of a COPY that failed
	spares  *spares        // for the rows that are read; nil before the first COPY
	tuning  tuning
	serial  bool // what it builds has no parallel workers
	goesOn  bool // behind what the server refuses
	single  bool // everything goes in one transaction
	silent  bool // triggers do not fire while rows go in
}

// settings are the statements that set something, each with the name of what it sets.
type settings []assignment

type assignment struct{ name, sql string }

// with returns the settings after one more statement.
func (s settings) with(a assignment) settings {
	after := slices.DeleteFunc(slices.Clone(s), func(b assignment) bool { return b.name == a.name })
	return append(after, a)
}

// adopt makes the session's settings those given.
func (s *session) adopt(ctx context.Context, want settings) error {
	for _, a := range want {
		if slices.Contains(s.set, a) {
			continue
		}
		if err := server.Exec(ctx, s.conn.PgConn(), a.sql); err != nil {
			return err
		}
		s.set = s.set.with(a)
	}
	return nil
}

// close ends the session, whatever it is doing, and waits for whoever still reads rows for it.
func (s *session) close() {
	server.HangUp(s.conn)
	s.reading.Wait()
}

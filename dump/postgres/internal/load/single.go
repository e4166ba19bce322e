package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A load in a single transaction (Config.SingleTransaction) has one session, whose transaction is
// begun before anything is dropped and committed when everything was compared. Whatever fails
// before that leaves the target as it was.

// allOrNothing is how a load leaves its target that lost the server while it committed.
const allOrNothing = "the target now holds all of the dump, or is as it was: the server had not said whether the transaction was committed"

// beginSingle begins the transaction, and drops in it what the placement says.
func (s *loading) beginSingle(ctx context.Context, p placement) error {
	s.single = true
	if s.cfg.Part != nil && len(p.target.Drops) > 0 {
		return s.cfg.Part.BeginDrop(ctx, s.conn)
	}
	if len(p.emptied) > 0 { // the database that the session is in: there is no other
		return s.target(p.first).Empty(ctx)
	}
	return server.Exec(ctx, s.conn.PgConn(), "BEGIN")
}

// stillSingle looks, behind a job, whether the transaction goes on. A dump of this program's does
// not end it.
func (s *loading) stillSingle(j *job, err error) error {
	if err != nil || s.conn.PgConn().TxStatus() == 'T' {
		return err
	}
	s.touched = true
	return fmt.Errorf("line %d: %s: it ends the transaction that all of the dump is to go in", j.item.Line, script.Head(j.item.Text))
}

// holdsBack keeps a statement for the end of the transaction, which does not undo it: what a
// sequence is set to stays, but for one that the transaction has made.
func (s *loading) holdsBack(j *job) bool {
	if !s.single || s.dump.Form != script.RowsAlone || !strings.HasPrefix(j.item.Text, "SELECT pg_catalog.setval(") {
		return false
	}
	s.held = append(s.held, j)
	return true
}

// commitSingle ends the transaction, if there is one. What could still fail it is looked at before
// sequences are set.
func (s *loading) commitSingle(ctx context.Context) error {
	if !s.single {
		return nil
	}
	if err := server.Exec(ctx, s.conn.PgConn(), "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return fmt.Errorf("check the deferred constraints: %w", inWords(err))
	}
	for _, j := range s.held {
		if err := s.share(ctx, j); err != nil {
			return err
		}
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	if err := server.Exec(ctx, s.conn.PgConn(), "COMMIT"); err != nil {
		s.unsure = !server.IsRefusal(err)
		return fmt.Errorf("commit: %w", inWords(err))
	}
	s.touched = true
	return nil
}

// lockRoom says what to do where the server has no room for the locks of one transaction, of which
// every table takes some.
func lockRoom(err error) error {
	if !server.HasCode(err, "53200") { // out_of_memory
		return err
	}
	return fmt.Errorf("the transaction may need more locks than the server has room for; raise max_locks_per_transaction there, or load without a single transaction: %w", err)
}

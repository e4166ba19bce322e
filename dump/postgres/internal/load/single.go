package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
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

// mayRunSingle refuses, before it is run, what ends the transaction: behind COMMIT AND CHAIN there
// is another one, which looks the same, and behind PREPARE TRANSACTION what was done stays, with
// its locks. A dump of this program's has none of these.
func (s *loading) mayRunSingle(j *job) error {
	if !s.single || j.item.Kind == dump.Rows || !endsTransaction(j.item.Text) {
		return nil
	}
	return fmt.Errorf("line %d: %s: it ends the transaction that all of the dump is to go in, and was not run", j.item.Line, script.Head(j.item.Text))
}

// endsTransaction tells whether a statement ends the transaction that it is run in.
func endsTransaction(sql string) bool {
	t := script.NewTokens(sql)
	switch t.Next() {
	case "commit", "end", "abort":
		return true
	case "prepare":
		return t.Next() == "transaction"
	case "rollback":
		next := t.Next()
		if next == "work" || next == "transaction" {
			next = t.Next()
		}
		return next != "to" // a savepoint
	}
	return false
}

// stillSingle looks, behind a job, whether the transaction goes on.
func (s *loading) stillSingle(j *job, err error) error {
	if err != nil || s.conn.PgConn().TxStatus() == 'T' {
		return err
	}
	s.touched = true
	return fmt.Errorf("line %d: %s: it has ended the transaction that all of the dump is to go in", j.item.Line, script.Head(j.item.Text))
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

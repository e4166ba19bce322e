package rows

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
)

// sequenceBatch is how many sequences are read at once.
const sequenceBatch = 500

// SequenceStates reads where the sequences stand. Sequences are not part of a snapshot: their
// values are those of the moment of reading, which is after the snapshot, so that no value in the
// rows is given out again.
//
// Before 18 the state of a sequence that gave out no value yet is to be had by a SELECT alone, and
// a sequence has no lock that keeps its name from being given to a table of its owner's: see
// package trust. Those whose owners are not trusted are read on the guard's session, in
// transactions of its own, as the locks that it takes there last to their end.
func (d *data) SequenceStates(ctx context.Context, sequences []*catalog.Relation) ([]catalog.SequenceState, error) {
	if len(sequences) == 0 {
		return nil, nil
	}
	oids := make([]uint32, len(sequences))
	for i, r := range sequences {
		oids[i] = r.Address.OID
	}
	of, err := trust.Judge(ctx, d.conn, d.srv, d.cfg.TrustOwners, oids, false)
	if err != nil {
		return nil, fmt.Errorf("read sequences: %w", err)
	}
	var own, others []*catalog.Relation
	for _, r := range sequences {
		if of[r.Address.OID] == trust.Trusted {
			own = append(own, r)
		} else {
			others = append(others, r)
		}
	}
	states, err := inBatches(own, func(part []*catalog.Relation) ([]catalog.SequenceState, error) { return d.selectStates(ctx, part) })
	if err == nil && len(others) > 0 {
		var more []catalog.SequenceState
		more, err = d.lockedStates(ctx, others)
		states = append(states, more...)
	}
	if err != nil {
		return nil, fmt.Errorf("read sequences: %w", sequenceError(err))
	}
	return states, nil
}

func inBatches(list []*catalog.Relation, read func([]*catalog.Relation) ([]catalog.SequenceState, error)) ([]catalog.SequenceState, error) {
	var states []catalog.SequenceState
	for len(list) > 0 {
		part := list[:min(sequenceBatch, len(list))]
		list = list[len(part):]
		got, err := read(part)
		if err != nil {
			return nil, err
		}
		states = append(states, got...)
	}
	return states, nil
}

// selectStates reads sequences on the dump's own session. Nobody else is kept from a sequence for
// the time of a dump: its lock is given back.
func (d *data) selectStates(ctx context.Context, part []*catalog.Relation) ([]catalog.SequenceState, error) {
	results, err := d.conn.PgConn().Exec(ctx, "SAVEPOINT sequences; "+selectSequences(part)+"ROLLBACK TO sequences; RELEASE sequences").ReadAll()
	if err != nil {
		return nil, err
	}
	return readStates(part, results[1:])
}

// selectSequences is a SELECT for each: one of them all takes the planner a time that grows with
// their square.
func selectSequences(part []*catalog.Relation) string {
	var b strings.Builder
	for _, r := range part {
		b.WriteString("SELECT last_value, is_called FROM " + r.Name + "; ")
	}
	return b.String()
}

func readStates(part []*catalog.Relation, results []*pgconn.Result) ([]catalog.SequenceState, error) {
	states := make([]catalog.SequenceState, len(part))
	for i, r := range part {
		if len(results) <= i || len(results[i].Rows) != 1 {
			return nil, fmt.Errorf("sequence %s: %w", r.Name, catalog.ErrGone)
		}
		row := results[i].Rows[0]
		last, err := strconv.ParseInt(string(row[0]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("sequence %s: %w", r.Name, err)
		}
		states[i] = catalog.SequenceState{Relation: r, Last: last, Called: string(row[1]) == "t"}
	}
	return states, nil
}

// lockedStates reads sequences by what their owners cannot turn: their OIDs.
func (d *data) lockedStates(ctx context.Context, list []*catalog.Relation) (states []catalog.SequenceState, err error) {
	err = d.guard.Borrow(ctx, func(conn *pgx.Conn, patience time.Duration) error {
		k := sequenceLocker{conn.PgConn(), d.srv, patience}
		states, err = inBatches(list, func(part []*catalog.Relation) ([]catalog.SequenceState, error) {
			begin := fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; SET LOCAL lock_timeout = %d", patience.Milliseconds())
			if err := server.Exec(ctx, k.conn, begin); err != nil {
				return nil, err
			}
			states, err := k.read(ctx, part)
			return states, cmp.Or(err, server.Exec(ctx, k.conn, "ROLLBACK"))
		})
		return err
	})
	return states, err
}

// A sequenceLocker reads sequences in a transaction of its own.
type sequenceLocker struct {
	conn     *pgconn.PgConn
	srv      server.Info
	patience time.Duration // for a lock
}

func (k sequenceLocker) read(ctx context.Context, part []*catalog.Relation) ([]catalog.SequenceState, error) {
	oids := make([]string, len(part))
	for i, r := range part {
		oids[i] = strconv.FormatUint(uint64(r.Address.OID), 10)
	}
	// Both functions lock the sequence by its OID, to the end of the transaction.
	state := "pg_catalog.pg_sequence_last_value(s.oid), true"
	from := ""
	if k.srv.Version >= 180000 {
		state, from = "d.last_value, d.is_called", ", pg_catalog.pg_get_sequence_data(s.oid) d"
	}
	results, err := k.conn.Exec(ctx, "SELECT "+state+" FROM pg_catalog.unnest('{"+strings.Join(oids, ",")+"}'::pg_catalog.oid[]) WITH ORDINALITY s(oid, n)"+from+" ORDER BY s.n").ReadAll()
	if err != nil {
		return nil, err
	}
	states := make([]catalog.SequenceState, len(part))
	var uncalled []*catalog.Relation
	var at []int
	for i, r := range part {
		if len(results[0].Rows) != len(part) {
			return nil, catalog.ErrGone
		}
		row := results[0].Rows[i]
		if row[0] == nil {
			uncalled, at = append(uncalled, r), append(at, i)
			continue
		}
		last, err := strconv.ParseInt(string(row[0]), 10, 64)
		if err != nil {
			return nil, err
		}
		states[i] = catalog.SequenceState{Relation: r, Last: last, Called: string(row[1]) == "t"}
	}
	if len(uncalled) == 0 {
		return states, nil
	}
	got, err := k.selectLocked(ctx, uncalled)
	if err != nil {
		return nil, err
	}
	for i, s := range got {
		states[at[i]] = s
	}
	return states, nil
}

// selectLocked reads sequences that the session has locked, by their names, which nobody can give
// to anything else while schemas stay as they are. A role that may not lock pg_namespace looks
// whether the names are still theirs, and no more.
func (k sequenceLocker) selectLocked(ctx context.Context, list []*catalog.Relation) ([]catalog.SequenceState, error) {
	deadline := time.Now().Add(k.patience)
	for {
		err := server.Exec(ctx, k.conn, "SAVEPOINT names; LOCK TABLE pg_catalog.pg_namespace IN SHARE MODE NOWAIT")
		if err == nil {
			break
		}
		if ended := server.Exec(ctx, k.conn, "ROLLBACK TO names"); ended != nil {
			return nil, err
		}
		if server.IsForbidden(err) || server.IsReadOnly(err) {
			break
		}
		if !server.IsLocked(err) || time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	conditions := make([]string, len(list))
	for i, r := range list {
		conditions[i] = fmt.Sprintf("(%s, %d)", server.Literal(r.Name), r.Address.OID)
	}
	// Division by zero ends the statements that follow.
	check := "SELECT 1 / CASE WHEN EXISTS (SELECT FROM (VALUES " + strings.Join(conditions, ", ") + ") s(name, oid) WHERE pg_catalog.to_regclass(s.name) IS DISTINCT FROM s.oid::pg_catalog.oid) THEN 0 ELSE 1 END; "
	results, err := k.conn.Exec(ctx, check+selectSequences(list)).ReadAll()
	if server.HasCode(err, "22012") { // division_by_zero
		err = catalog.ErrGone
	}
	if err != nil {
		return nil, err
	}
	return readStates(list, results[1:])
}

// sequenceError tells a sequence that was dropped meanwhile, which no lock prevents.
func sequenceError(err error) error {
	if server.HasCode(err, "42P01") { // undefined_table
		return fmt.Errorf("one %w: %w", catalog.ErrGone, err)
	}
	return server.LockRoom(err)
}

package load

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// refusals are what the server has refused of a load that goes on all the same. However many there
// are, what is kept of them is a number for each table. Its methods are called by several
// goroutines.
type refusals struct {
	told func(dump.Refusal) // nil: the load stops at the first

	mu      sync.Mutex
	of      int              // statements
	refused int              // of these
	missing map[string]int64 // rows, by their tables
	unmade  map[string]bool  // tables that the server has not made
}

func newRefusals(told func(dump.Refusal)) *refusals {
	return &refusals{told: told, missing: make(map[string]int64), unmade: make(map[string]bool)}
}

// goesOn tells whether the load goes on behind what the server refuses.
func (r *refusals) goesOn() bool { return r.told != nil }

// ran notes a statement that was run.
func (r *refusals) ran() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of++
}

// tell tells of a statement that was run and refused.
func (r *refusals) tell(refusal dump.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused++
	if refusal.Table != "" {
		r.missing[refusal.Table] += refusal.Rows
	}
	r.told(refusal)
}

// passed notes statements that were not run, as what they need is not there. Of rows it is told.
func (r *refusals) passed(statements int, rows dump.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of += statements
	r.refused += statements
	if rows.Table != "" {
		r.missing[rows.Table] += rows.Rows
		r.told(rows)
	}
}

// lost notes a table that the server has not made, and lacks one that is passed over.
func (r *refusals) lost(table string)       { r.unmade[table] = true }
func (r *refusals) lacks(table string) bool { return r.unmade[table] }

// end is how the load ends that has come to its end.
func (r *refusals) end() error {
	if r.refused == 0 {
		return nil
	}
	e := &dump.IncompleteError{Refused: r.refused, Of: r.of}
	for _, name := range slices.Sorted(maps.Keys(r.missing)) {
		e.Missing = append(e.Missing, dump.Table{Name: name, Rows: r.missing[name]})
	}
	return e
}

// A statementError says which statement failed. There is one of each statement that was run, and of
// nothing else.
type statementError struct {
	what string
	err  error
}

func (e *statementError) Error() string { return e.what + ": " + e.err.Error() }
func (e *statementError) Unwrap() error { return e.err }

// pass takes note of a statement that the server has refused, and returns nil where the load goes
// on behind it. A statement that may have been done, or after which the session is no more, ends
// the load, and so does whatever is wrong with the dump.
func (s *loading) pass(st statement, err error) error {
	if err == nil || !s.isPassed(err) {
		return err
	}
	var failed *statementError
	errors.As(err, &failed)
	refusal := dump.Refusal{Line: st.line, What: failed.what, Err: failed.err}
	if st.rows {
		rows := rowsIn(st.sql, s.mode)
		s.count(borrowed(st.sql), rows) // the dump has them, which is what it is compared for
		refusal.Table, refusal.Rows = st.table, rows-st.stayed
	} else if st.table != "" {
		s.refusals.lost(st.table)
	}
	s.refusals.tell(refusal)
	return nil
}

// isPassed tells whether the load goes on behind an error.
func (s *loading) isPassed(err error) bool {
	var failed *statementError
	return s.refusals.goesOn() && errors.As(err, &failed) && (failed.err == errUnset || failed.err == errOthers || server.IsRefusal(failed.err))
}

// rowsIn is how many rows a statement has.
func rowsIn(sql []byte, mode script.Mode) (n int64) {
	for range script.Rows(sql, mode) {
		n++
	}
	return n
}

// errNoTable and errNoDatabase are why rows are passed over.
var (
	errNoTable    = errors.New("the table was not made")
	errNoDatabase = errors.New("the database cannot be used")
)

// passOver passes over the rows of a table that is not there.
func (s *loading) passOver(item dump.Item, why error) error {
	rows := dump.Refusal{Line: item.Line, What: "the rows of " + item.Table, Table: item.Table, Err: why}
	passed := 0
	for st, err := range statements(item) {
		if err != nil {
			return err
		}
		if err := s.plan.route(st.sql); err != nil {
			return atLine(st.line, err)
		}
		n := rowsIn(st.sql, s.mode)
		s.count(borrowed(st.sql), n)
		rows.Rows += n
		passed++
	}
	s.refusals.passed(passed, rows)
	return nil
}

// Package dumptest holds every engine to the same promises, on a real server: a restored database
// is the one that was dumped; equal data gives equal bytes, on however many connections; a stream
// that is not whole is refused; a failure anywhere ends the dump or the load at once, with its own
// error, and leaves neither goroutine nor session behind; a dump shows one moment of a database
// that is written to; a small change of the data changes the stream only near it. A part of a dump
// is loaded as it was, and nothing else with it; what a rehearsal says a load would do it does, and
// the rehearsal itself changes nothing; a load that goes on behind what the server refuses has all
// else in the end; one that was stopped anywhere is made again over what it has left.
//
// It knows nothing of what is in a stream and of how an engine is asked anything. The tests of an
// engine describe it by a Suite, say in its fields what makes it different, and call Run. They need
// nothing else for what is in the list above, and keep tests of their own for what only their
// engine has.
package dumptest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Suite describes an engine. D is what the engine's tests know a database by: its name, say, or a
// struct with the server it is on.
type Suite[D any] struct {
	// New makes an empty database that is gone when the test is over.
	New func(t *testing.T) D
	// Twin makes another such database, one whose dump is the same bytes as db's once it holds the
	// same: where a stream tells the database's name, on another server. nil means New.
	Twin func(t *testing.T, db D) D

	// Source dumps db on so many connections, and tells told each table whose rows are written. nil
	// means nobody.
	Source func(t *testing.T, db D, jobs int, told func(dump.Table)) dump.Source
	// Loader loads into db.
	Loader func(t *testing.T, db D, o Options) Loader
	// Verify reads a stream to its end and vouches for it. nil means dump.Verify.
	Verify func(io.Reader) error
	// Items reads a dump as items.
	Items func(io.Reader) iter.Seq2[dump.Item, error]
	// Form is what the head of a dump says. Empty means what its first line says, see
	// dump.NewReader.
	Form string
	// Contents reads a dump's manifest from its end. nil means dump.ReadContents.
	Contents func(t *testing.T, stream []byte) *dump.Contents

	// ByTool loads a stream as somebody does who has the engine's own tools and not this program.
	// nil: there is no such tool on the machine.
	ByTool func(t *testing.T, db D, stream []byte)
	// Same reports as an error of t what the engine's reference tool finds different in restored.
	// nil: there is no such tool on the machine.
	Same func(t *testing.T, original, restored D)
	// Sessions counts the sessions on db's server that belong to this program's dumps of db and
	// loads into it.
	Sessions func(t *testing.T, db D) int
	// Kill ends at the server the sessions that Sessions counts.
	Kill func(ctx context.Context, db D) error

	// Pattern fits a table, by its name in the manifest, and no other. nil: the engine's loader
	// takes no part of a dump.
	Pattern func(table string) string
	// SameTable is Same of one table, which was restored alone: without what joins it with others.
	// nil: there is no such tool on the machine.
	SameTable func(t *testing.T, original, restored D, table string)
	// NoHalves says why definitions and rows are not loaded apart. Empty: they are.
	NoHalves string

	Cases    []Case[D]
	Refusing *Refusing[D] // nil: the tests' server refuses nothing that a database may hold
	Ledger   Ledger[D]
}

// A Case is something that a database may hold.
type Case[D any] struct {
	Name string
	Fill func(t *testing.T, db D)
	// Unequal says why a dump of the restored database is not the same bytes, where that is so;
	// then there is only Same to compare them by.
	Unequal string
	// Joined are tables that nobody can use apart: they are not parted from one another.
	Joined []string
	// NoHalves says why rows that are loaded behind the definitions are others, where that is so.
	NoHalves string
}

// A Ledger is a database that is changed between dumps and during one. It has two tables of
// accounts, the ones that a dump begins and ends with, and between them a table of Rows rows in the
// order of their keys, large enough that several connections share in reading it: some 10 MB.
type Ledger[D any] struct {
	Rows int
	Fill func(t *testing.T, db D)
	// Rewrite changes n adjacent rows, from the middle of the table on, to something that they have
	// not been before, of the same length.
	Rewrite func(t *testing.T, db D, n int)
	// Delete deletes n adjacent rows, from the middle of the table on.
	Delete func(t *testing.T, db D, n int)
	// Reach is how many bytes of the stream may be others after one row was rewritten. 0 means 32
	// KiB. A stream that is compressed in frames changes by two frames and those of the manifest.
	Reach int

	// Transfer moves 1 from an account in the first table to one in the last as one change. Several
	// goroutines call it at once. nil: the server knows no moment that a dump could keep to, and
	// the test of it is left out.
	Transfer func(ctx context.Context, db D) error
	// Total is the sum of all accounts. Transfer does not change it.
	Total func(t *testing.T, db D) int64
}

// Run runs the whole suite. It takes the time of some thirty loads of the Ledger, of twenty of each
// Case, and of one of each of its tables.
func Run[D any](t *testing.T, s Suite[D]) {
	if s.Twin == nil {
		s.Twin = func(t *testing.T, _ D) D { return s.New(t) }
	}
	if s.Verify == nil {
		s.Verify = dump.Verify
	}
	if s.Contents == nil {
		s.Contents = readContents
	}
	if s.Ledger.Reach == 0 {
		s.Ledger.Reach = 32 << 10
	}
	t.Run("round trip", func(t *testing.T) {
		nothing := Case[D]{Name: "nothing", Fill: func(*testing.T, D) {}}
		for _, c := range append([]Case[D]{nothing}, s.Cases...) {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				s.roundTrip(t, c)
			})
		}
	})
	// These count goroutines, and share a database that none of them changes.
	t.Run("ledger", func(t *testing.T) {
		db := s.New(t)
		s.Ledger.Fill(t, db)
		stream := s.dump(t, db, 1, nil)
		t.Run("jobs", func(t *testing.T) { s.jobs(t, db, stream) })
		t.Run("not whole", func(t *testing.T) { s.notWhole(t, db, stream) })
		t.Run("writer fails", func(t *testing.T) { s.writerFails(t, db, stream) })
		t.Run("dump is cancelled", func(t *testing.T) { s.dumpCancelled(t, db, stream) })
		t.Run("reader fails", func(t *testing.T) { s.readerFails(t, db, stream) })
		t.Run("load is cancelled", func(t *testing.T) { s.loadCancelled(t, db, stream) })
		t.Run("sessions are killed", func(t *testing.T) { s.sessionsKilled(t, db, stream) })
		if s.Refusing != nil {
			t.Run("load goes on", func(t *testing.T) { s.goesOn(t) })
		}
		t.Run("locality", func(t *testing.T) { s.locality(t) })
		if s.Ledger.Transfer != nil {
			t.Run("one moment", func(t *testing.T) { s.oneMoment(t) })
		}
	})
}

func readContents(t *testing.T, stream []byte) *dump.Contents {
	t.Helper()
	c, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// roundTrip dumps a case, loads it in every way and compares.
func (s Suite[D]) roundTrip(t *testing.T, c Case[D]) {
	db := s.New(t)
	c.Fill(t, db)
	var told dump.Manifest
	stream := s.dump(t, db, 1, func(table dump.Table) { told = append(told, table) })
	s.dumpsAs(t, "a second dump", stream, db, 1)
	s.dumpsAs(t, "a dump by 4 connections", stream, db, 4)
	if err := s.Verify(bytes.NewReader(stream)); err != nil {
		t.Errorf("verify: %v", err)
	}
	s.items(t, stream)
	s.contents(t, stream, told)
	s.excerpts(t, stream, db)
	same := func(how string, restored D) {
		t.Helper()
		if s.Same != nil {
			t.Run(how, func(t *testing.T) { s.Same(t, db, restored) })
		}
		if c.Unequal == "" {
			s.dumpsAs(t, "a dump of what was restored "+how, stream, restored, 2)
		}
	}
	if s.ByTool != nil {
		restored := s.Twin(t, db)
		s.ByTool(t, restored, stream)
		same("by tool", restored)
	}
	restored := s.Twin(t, db)
	s.rehearses(t, restored, stream)
	s.load(t, restored, Options{Jobs: 1}, stream)
	same("natively", restored)
	if c.Name != "nothing" {
		s.refusesContents(t, restored, stream)
		s.rehearsesContents(t, restored, stream)
		same("once", restored)
	}
	s.load(t, restored, Options{Jobs: 4, Clean: true}, stream)
	same("over itself", restored)
	s.parts(t, c, db, stream)
}

// jobs dumps and loads the ledger on more and fewer connections.
func (s Suite[D]) jobs(t *testing.T, db D, stream []byte) {
	for _, n := range []int{2, 4} {
		s.dumpsAs(t, fmt.Sprintf("a dump by %d connections", n), stream, db, n)
		restored := s.Twin(t, db)
		s.load(t, restored, Options{Jobs: n}, stream)
		s.dumpsAs(t, fmt.Sprintf("a dump of what %d connections restored", n), stream, restored, n)
		s.noSessions(t, restored)
	}
	s.noSessions(t, db)
}

// dump returns a dump of db.
func (s Suite[D]) dump(t *testing.T, db D, jobs int, told func(dump.Table)) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Source(t, db, jobs, told).Dump(t.Context(), &b); err != nil {
		t.Fatalf("dump: %v", err)
	}
	return b.Bytes()
}

// dumpsAs dumps db and reports an error unless the bytes are those that are wanted.
func (s Suite[D]) dumpsAs(t *testing.T, what string, want []byte, db D, jobs int) {
	t.Helper()
	w := comparison{want: want}
	if err := s.Source(t, db, jobs, nil).Dump(t.Context(), &w); err != nil {
		t.Fatalf("dump: %v", err)
	}
	equal(t, what, want, w.written())
}

// A comparison is written what may be the same bytes as before, and keeps it only if it is not:
// memory that is new for each dump costs the race detector more time than the dump takes.
type comparison struct {
	want []byte
	same int    // so many bytes of want were written
	got  []byte // all that was written, once it is something else
}

func (c *comparison) Write(p []byte) (int, error) {
	switch {
	case c.got != nil:
		c.got = append(c.got, p...)
	case bytes.HasPrefix(c.want[c.same:], p):
		c.same += len(p)
	default:
		c.got = slices.Concat(c.want[:c.same], p)
	}
	return len(p), nil
}

func (c *comparison) written() []byte {
	if c.got != nil {
		return c.got
	}
	return c.want[:c.same]
}

// equal compares streams and shows where they part.
func equal(t *testing.T, what string, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	near := func(b []byte) []byte { return b[max(0, at-300):min(len(b), at+300)] }
	t.Errorf("%s is not the first: %d bytes instead of %d, others from byte %d on:\n%q\ninstead of:\n%q",
		what, len(got), len(want), at, near(got), near(want))
}

// prompt is how long an end may take that has to come at once, on a machine that has other things
// to do.
const prompt = 15 * time.Second

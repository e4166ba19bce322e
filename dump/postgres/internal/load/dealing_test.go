package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// However many sessions rows are dealt to, each gets whole ones, and all of them together get every
// row once; also those that are longer than a buffer.
func TestRowsAreDealtWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 4))
	var text strings.Builder
	var want dump.Tally
	for i := range 40_000 {
		row := fmt.Sprint(i, strings.Repeat("y", rng.IntN(100)))
		if i%9_000 == 5 {
			row += strings.Repeat("x", i/9_000*blockBytes-len(row)+rng.IntN(3)-1+blockBytes)
		}
		want.Add([]byte(row))
		text.WriteString(row + "\n")
	}
	all := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for sessions := 1; sessions <= 3; sessions++ {
		spare := newSpares(sessions)
		more := make(chan struct{}, 1)
		d := newDealing(read(strings.NewReader(text.String())), spare, more, nil)
		go d.deal()
		var readers sync.WaitGroup
		var mu sync.Mutex
		var got dump.Tally
		took := map[string]int{}
		for range sessions {
			readers.Go(func() {
				k := newRowsReader(d)
				text, err := io.ReadAll(k)
				if err != nil || len(text) > 0 && text[len(text)-1] != '\n' {
					t.Errorf("%v, and %d bytes that end in %q", err, len(text), text[max(0, len(text)-10):])
				}
				mu.Lock()
				defer mu.Unlock()
				got.Plus(*k.whole.Load())
				for row := range bytes.Lines(text) {
					took[strings.TrimSuffix(string(row), "\n")]++
				}
				for _, p := range k.places { // where a block began, the dump has the row that the session sent
					if mine := bytes.Split(text, []byte("\n")); string(mine[p.sent]) != all[p.lines] {
						t.Errorf("row %d of a session is %.20q, and row %d of the dump %.20q", p.sent, mine[p.sent], p.lines, all[p.lines])
					}
				}
			})
		}
		readers.Wait()
		if got != want || len(took) != len(all) {
			t.Errorf("%d sessions: %d rows, %+v, want %+v", sessions, len(took), got, want)
		}
		if len(spare.free) != spare.made || spare.made > cap(spare.free) {
			t.Errorf("%d sessions: %d of %d buffers are back", sessions, len(spare.free), spare.made)
		}
	}
}

// Who takes no rows gets no more of them, and has another session asked for.
func TestDealingIsBounded(t *testing.T) {
	spare := newSpares(2)
	more := make(chan struct{}, 1)
	given := 0
	d := newDealing(func(yield func([]byte, error) bool) {
		for row := bytes.Repeat([]byte("1\n"), 50_000); yield(row, nil); {
			given += len(row)
		}
	}, spare, more, nil)
	k := newRowsReader(d)
	dealt := make(chan struct{})
	go func() { defer close(dealt); d.deal() }()
	for p, took := make([]byte, 1000), 0; took < spreadAfter; {
		n, err := k.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		took += n
	}
	<-more
	close(d.ended)
	<-dealt
	if most := spreadAfter + (cap(spare.free)+1)*blockBytes; given > most {
		t.Errorf("%d bytes were read, at most %d expected", given, most)
	}
}

// The end of a row that never ends is told to who takes it, and so is what was wrong.
func TestLongRowBreaks(t *testing.T) {
	broken := errors.New("it broke")
	d := newDealing(func(yield func([]byte, error) bool) {
		if yield(make([]byte, 3*blockBytes), nil) {
			yield(nil, broken)
		}
	}, newSpares(1), nil, nil)
	go d.deal()
	if text, err := io.ReadAll(newRowsReader(d)); err != broken || len(text) > 3*blockBytes {
		t.Errorf("%d bytes and %v", len(text), err)
	}
}

// A server counts the rows that one session has sent; the error counts those of the dump.
func TestPlaceOfAFailedRow(t *testing.T) {
	const copyIn = `COPY public."a, line 7" (a) FROM stdin;`
	k := newRowsReader(nil)
	for _, p := range []place{{0, 1000}, {50, 2000}, {60, 7000}} {
		k.begin(block{lines: p.lines})
		k.tally.Rows = map[int64]int64{1000: 50, 2000: 60, 7000: 90}[p.lines]
	}
	for _, tt := range []struct{ where, want string }{
		{`COPY a, line 7, line 50, column a: "x"`, `COPY a, line 7, line 1050, column a: "x"`},
		{"COPY a, line 7, line 51", "COPY a, line 7, line 2001"},
		{"PL/pgSQL function f() line 3 at RAISE\nCOPY a, line 7, Zeile 61, Spalte a", "PL/pgSQL function f() line 3 at RAISE\nCOPY a, line 7, Zeile 7001, Spalte a"},
		{"COPY b, line 60", "COPY b, line 60"},
		{"something else 60", "something else 60"},
	} {
		pe := &pgconn.PgError{Where: tt.where}
		if k.placed(copyIn, fmt.Errorf("wrapped: %w", pe)); pe.Where != tt.want {
			t.Errorf("%q, want %q", pe.Where, tt.want)
		}
	}
}

// Only rows of a table of the dump's own that nothing was put on, in the order of a key, may be
// spread.
func TestWhatSpreads(t *testing.T) {
	p := newPlanner()
	for _, sql := range []string{
		"CREATE TABLE s.t (a integer);", "CREATE UNLOGGED TABLE s.u (a integer);", "CREATE TABLE s.i (a integer);", "CREATE TABLE s.k (a integer);", "CREATE TABLE s.f (a integer);",
		"CREATE INDEX i ON s.i USING btree (a);", "ALTER TABLE ONLY s.k\n    ADD CONSTRAINT k PRIMARY KEY (a);",
		"ALTER TABLE ONLY s.f\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.k(a);",
	} {
		p.plan(sql)
	}
	for sql, want := range map[string]bool{
		"COPY s.t (a) FROM stdin;":               true,
		"COPY s.t FROM stdin;":                   true,
		`COPY "s"."u" (a, "b,)") FROM stdin;`:    true,
		"COPY s.t (a) FROM stdin WITH (FREEZE);": false,
		"COPY s.t (a) FROM stdin WITH FREEZE;":   false,
		"COPY s.t (a) FROM stdin WHERE a > 1;":   false,
		"COPY s.there (a) FROM stdin;":           false,
		"COPY s.i (a) FROM stdin;":               false,
		"COPY s.k (a) FROM stdin;":               false,
		"COPY s.f (a) FROM stdin;":               false,
		"COPY t (a) FROM stdin;":                 false,
		"COPY s.t (a":                            false,
	} {
		if got := p.spreads(dump.Item{Kind: dump.Rows, Sorted: true, Text: sql}); got != want {
			t.Errorf("%s: %v", sql, got)
		}
		if p.spreads(dump.Item{Kind: dump.Rows, Text: sql}) {
			t.Errorf("%s: spreads though it is not sorted", sql)
		}
	}
}

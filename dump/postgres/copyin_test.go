package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A load whose input stalls within the rows of a table ends when the server ends its session or its statement, and when
// its context does.
func TestLoadOfStalledRows(t *testing.T) {
	pg := testServer(t)
	over := errors.New("it is over")
	for _, tt := range []struct {
		name, end, want string
		more            bool
	}{
		{"the server ends the session", "SELECT pg_terminate_backend(pid)", "terminating connection", false},
		{"the server ends the statement", "SELECT pg_cancel_backend(pid)", "canceling statement", true},
		{"the context ends", "", over.Error(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			db := pg.CreateDB(t)
			l, err := NewLoader(LoadConfig{Conn: pg.DSN(db)})
			if err != nil {
				t.Fatal(err)
			}
			pr, pw := io.Pipe()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ended := make(chan error, 1)
			go func() { ended <- l.Load(ctx, pr) }()
			w := dump.NewWriter(pw, script.OneDatabase)
			if _, err := io.WriteString(w, "CREATE TABLE public.t (a integer);\nCOPY public.t FROM stdin;\n"+strings.Repeat("1\n", 1<<17)); err != nil {
				t.Fatal(err)
			}
			copying := func() bool {
				return pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+db+"' AND query LIKE 'COPY%' AND state = 'active'") == "1"
			}
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for !copying() {
				<-tick.C
			}
			if tt.end != "" {
				pg.Psql(t, "postgres", tt.end+" FROM pg_stat_activity WHERE datname = '"+db+"'")
			} else {
				cancel(over)
			}
			if tt.more { // the server looks for a cancellation only with the next rows
				if _, err := io.WriteString(w, strings.Repeat("2\n", 1<<17)); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one of %q", err, tt.want)
				}
			case <-time.After(10 * time.Second):
				t.Error("the load goes on")
				pw.Close()
				<-ended
			}
		})
	}
}

// A session whose COPYs were refused takes the next one.
func TestCopyAfterOnesThatFailed(t *testing.T) {
	pg := testServer(t)
	s := &session{conn: sessionIn(t, pg, pg.CreateDB(t))}
	execute(t, s.conn, "CREATE TABLE public.t (a integer)")
	rows := strings.Repeat("1\n", 1<<18)
	copied := func(table string) error {
		_, _, err := s.copyIn(t.Context(), copyItem(t, table, rows))
		return err
	}
	for range rowsAhead + 1 {
		if err := copied("public.missing"); !hasCode(err, "42P01") { // undefined_table
			t.Fatalf("into no table: %v", err)
		}
	}
	if err := copied("public.t"); err != nil {
		t.Error(err)
	}
}

// copyItem is a COPY of rows into a table as a script has it.
func copyItem(t *testing.T, table, rows string) script.Item {
	t.Helper()
	item, err := script.NewReader(strings.NewReader("COPY " + table + " FROM stdin;\n" + rows + "\\.\n")).Next()
	if err != nil || item.Kind != script.Copy {
		t.Fatalf("%v, %v", item.Kind, err)
	}
	return item
}

// Rows come whole and in order, however they are read.
func TestRowsReader(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 3))
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = byte(rng.Uint32())
	}
	broken := errors.New("it broke")
	spare := newSpare()
	for _, tt := range []struct {
		name string
		r    io.Reader
		want error
	}{
		{"as it is", strings.NewReader(string(text)), io.EOF},
		{"half of what is asked for", iotest.HalfReader(strings.NewReader(string(text))), io.EOF},
		{"the end with the last rows", iotest.DataErrReader(strings.NewReader(string(text))), io.EOF},
		{"broken", io.MultiReader(strings.NewReader(string(text)), iotest.ErrReader(broken)), broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newRowsReader(tt.r, spare)
			read := make(chan struct{})
			go func() { defer close(read); k.readAll() }()
			var got []byte
			var err error
			for p := make([]byte, 100<<10); err == nil; {
				var n int
				n, err = k.Read(p[:1+rng.IntN(len(p))])
				got = append(got, p[:n]...)
			}
			if string(got) != string(text) || k.bytes.Load() != int64(len(text)) {
				t.Errorf("%d bytes came, %d were counted, of %d", len(got), k.bytes.Load(), len(text))
			}
			if err != tt.want {
				t.Errorf("it ends in %v, want %v", err, tt.want)
			}
			if err := k.end(); (err != nil) != (tt.want != io.EOF) || err != nil && err != tt.want {
				t.Errorf("end: %v", err)
			}
			<-read
			if len(spare) != rowsAhead {
				t.Errorf("%d of %d buffers are back", len(spare), rowsAhead)
			}
		})
	}
}

// What ends the rows of a dump is the error of its load, and not the server's word that rows are missing.
func TestBrokenRowsAreTheError(t *testing.T) {
	pg := testServer(t)
	sql := "CREATE TABLE public.t (a integer);\nCOPY public.t (a) FROM stdin;\n1\n2\n"
	stream := written(t, nil, sql)
	stream = stream[:bytes.Index(stream, []byte("1\n2\n"))+len("1\n2\n")]
	if err := load(t, pg, LoadConfig{Database: pg.CreateDB(t)}, stream); !errors.Is(err, dump.ErrTruncated) {
		t.Errorf("error %v, want %v", err, dump.ErrTruncated)
	}
}

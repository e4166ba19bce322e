package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A load whose input stalls within the rows of a table ends when the server ends its session or its
// statement, and when its context does.
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
				// The load may be over before it has read them all, and then it has closed its
				// side.
				if _, err := io.WriteString(w, strings.Repeat("2\n", 1<<17)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
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

// What ends the rows of a dump is the error of its load, and not the server's word that rows are
// missing.
func TestBrokenRowsAreTheError(t *testing.T) {
	pg := testServer(t)
	sql := "CREATE TABLE public.t (a integer);\nCOPY public.t (a) FROM stdin;\n1\n2\n"
	stream := written(t, nil, sql)
	stream = stream[:bytes.Index(stream, []byte("1\n2\n"))+len("1\n2\n")]
	if err := restore(t, pg, LoadConfig{Database: pg.CreateDB(t)}, stream); !errors.Is(err, dump.ErrTruncated) {
		t.Errorf("error %v, want %v", err, dump.ErrTruncated)
	}
}

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// copying counts the sessions that are in a COPY in a database.
func copying(t *testing.T, pg *servers.PG, db string) string {
	return pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '"+db+"' AND query LIKE 'COPY%' AND state = 'active'")
}

// spread is a dump of a table t of many rows in the order of a key. One row of a thousand takes the
// server 150 ms, so that one session alone takes rows slower than any reader brings them: another
// is asked for only then.
func spread(t *testing.T, rows []string) []byte {
	var sql strings.Builder
	sql.WriteString("CREATE DOMAIN public.slow AS integer CHECK (VALUE % 1000 <> 0 OR pg_catalog.pg_sleep(0.15)::pg_catalog.text = '');\n")
	sql.WriteString("CREATE TABLE public.t (a public.slow NOT NULL, b text);\n-- " + script.ByKeyMark + "\nCOPY public.t (a, b) FROM stdin;\n")
	for _, row := range rows {
		sql.WriteString(row + "\n")
	}
	sql.WriteString("\\.\n\nALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\n")
	return written(t, dump.Manifest{tableOf("public.t", rows...)}, sql.String())
}

func manyRows(n int) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d\t%s", i, strings.Repeat("x", 200))
	}
	return rows
}

// The rows of a table do not come to an end before two sessions are loading them, and are all there
// afterwards. One of them is longer than what a session takes at a time.
func TestRowsAreSpread(t *testing.T) {
	pg := testServer(t)
	rows := manyRows(60_000)
	rows[50_000] = "50000\t" + strings.Repeat("y", 3<<20)
	stream := spread(t, rows)
	for _, jobs := range []int{1, 2, 4} {
		db := pg.CreateDB(t)
		most := "1"
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		gate := io.MultiReader(bytes.NewReader(stream[:len(stream)-100_000]), &waitingReader{until: func() bool {
			most = max(most, copying(t, pg, db))
			return jobs == 1 || most > "1"
		}}, bytes.NewReader(stream[len(stream)-100_000:]))
		if err := l.Load(t.Context(), gate); err != nil {
			t.Fatalf("%d jobs: %v", jobs, err)
		}
		if jobs == 1 && most != "1" {
			t.Errorf("1 job: %s sessions", most)
		}
		if got := pg.Psql(t, db, "SELECT count(*), sum(a), max(length(b)) FROM t"); got != "60000|1799970000|3145728" {
			t.Errorf("%d jobs: %s", jobs, got)
		}
	}
}

// What one of several sessions fails by, wherever in the rows that is, ends all of them, and the
// error names the row that the dump has there.
func TestSpreadRowsFail(t *testing.T) {
	pg := testServer(t)
	for _, at := range []int{59_000, 59_999} {
		rows := manyRows(60_000)
		rows[at] = "wrong\tx"
		err := restore(t, pg, LoadConfig{Database: pg.CreateDB(t), Jobs: 3}, spread(t, rows))
		if err == nil || !strings.Contains(err.Error(), "invalid input syntax for type integer") || !strings.Contains(err.Error(), fmt.Sprintf("COPY t, line %d, column a", at+1)) {
			t.Errorf("row %d: %v", at+1, err)
		}
	}
}

// A load whose rows stall while several sessions have some ends when the server ends one of them,
// and when its context does.
func TestSpreadRowsStall(t *testing.T) {
	pg := testServer(t)
	over := errors.New("it is over")
	stream := spread(t, manyRows(60_000))
	for name, tt := range map[string]struct{ order, want string }{
		"the server ends the first": {"ASC", "terminating connection"},
		"the server ends another":   {"DESC", "terminating connection"},
		"the context ends":          {"", over.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			db := pg.CreateDB(t)
			l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Jobs: 2})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			pr, pw := io.Pipe()
			defer pw.Close()
			ended := make(chan error, 1)
			go func() { ended <- l.Load(ctx, pr) }()
			go pw.Write(stream[:len(stream)-100_000])
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for copying(t, pg, db) != "2" {
				<-tick.C
			}
			if tt.order == "" {
				cancel(over)
			} else {
				pg.Psql(t, "postgres", "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = '"+db+"' ORDER BY backend_start "+tt.order+" LIMIT 1) s")
			}
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one of %q", err, tt.want)
				}
			case <-time.After(20 * time.Second):
				t.Error("the load goes on")
				pw.Close()
				<-ended
			}
		})
	}
}

// A dump says which rows are in the order of a key: those of a table that has one, whatever number
// of sessions read them, and of no other.
func TestDumpSaysWhatIsSorted(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE keyed (a integer PRIMARY KEY); INSERT INTO keyed VALUES (2), (1);
		CREATE TABLE bare AS SELECT 1 AS a; CREATE TABLE empty (a integer PRIMARY KEY)`)
	sorted := map[string]bool{}
	for item, err := range Items(bytes.NewReader(dumpDB(t, pg, db))) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Kind == dump.Rows {
			sorted[item.Table] = item.Sorted
		}
	}
	if len(sorted) != 3 || !sorted["public.keyed"] || sorted["public.bare"] || sorted["public.empty"] {
		t.Errorf("sorted: %v", sorted)
	}
}

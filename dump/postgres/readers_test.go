package postgres

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Schema-per-tenant databases, ERPs and partitions made ahead have thousands of tables with nothing
// in them.
func TestManyEmptyTables(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	const tables = 3000
	var sql strings.Builder
	for i := range tables {
		fmt.Fprintf(&sql, "CREATE TABLE t%d (id integer PRIMARY KEY, a text);\n", i)
	}
	psqlLoad(t, pg, db, []byte(sql.String()))
	pg.Psql(t, db, "INSERT INTO t7 SELECT i, 'x' FROM generate_series(1, 1000) i; CREATE TABLE zz AS SELECT i, md5(i::text) FROM generate_series(1, 300000) i; VACUUM ANALYZE zz")
	wanted := map[RowOrder][]byte{} // which tell of a table whether its rows are in the order of its key
	for jobs := 1; jobs <= 8; jobs++ {
		for _, order := range []RowOrder{OrderAuto, OrderPhysical} {
			if order == OrderPhysical && jobs%3 != 2 {
				continue // the same pieces, but for one table
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			src, err := NewSource(Config{Conn: pg.DSN(db), Jobs: jobs, RowOrder: order})
			if err != nil {
				t.Fatal(err)
			}
			seed := uint64(jobs)
			dial := src.cfg.Conn.DialFunc
			src.cfg.Conn.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				seed += 100
				return &slowConn{conn, rand.New(rand.NewPCG(seed, 0))}, err
			}
			random := rand.New(rand.NewPCG(uint64(jobs), 1))
			var out bytes.Buffer
			err = src.Dump(ctx, writerFunc(func(p []byte) (int, error) {
				dawdle(random)
				return out.Write(p)
			}))
			cancel()
			if err != nil {
				t.Fatalf("%d jobs, order %s: %v", jobs, order, err)
			}
			want, known := wanted[order]
			if !known {
				wanted[order] = out.Bytes()
			} else if !bytes.Equal(want, out.Bytes()) {
				t.Errorf("%d jobs, order %s: another dump than with fewer", jobs, order)
			}
		}
	}
}

// A slowConn's reads take a time of their own.
type slowConn struct {
	net.Conn
	random *rand.Rand
}

func (c *slowConn) Read(p []byte) (int, error) {
	dawdle(c.random)
	return c.Conn.Read(p[:min(len(p), 1+c.random.IntN(64<<10))])
}

// A reader that somebody keeps from a table leaves it to the first session, with all that it had
// asked for at once.
func TestRowsThatAreLeft(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	var sql strings.Builder
	for i := range 300 {
		fmt.Fprintf(&sql, "CREATE TABLE t%d (id integer PRIMARY KEY, a text); INSERT INTO t%d SELECT i, md5(i::text) FROM generate_series(20, 1, -1) i;\n", i, i)
	}
	psqlLoad(t, pg, db, []byte(sql.String()))
	want := dumpWith(t, Config{Conn: pg.DSN(db)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	waiting, err := pgx.Connect(ctx, pg.DSN(db))
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close(context.WithoutCancel(ctx))
	locked := make(chan error, 1)
	src, err := NewSource(Config{Conn: pg.DSN(db), Debug: func(s string) {
		if !strings.Contains(s, "public.t0:") {
			return
		}
		go func() {
			_, err := waiting.Exec(ctx, "BEGIN; LOCK TABLE t17, t250 IN ACCESS EXCLUSIVE MODE; COMMIT")
			locked <- err
		}()
		for pg.Psql(t, db, fmt.Sprintf("SELECT count(*) FROM pg_locks WHERE pid = %d AND NOT granted", waiting.PgConn().PID())) != "1" {
			if ctx.Err() != nil {
				t.Error("the other session never came to wait")
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := src.Dump(ctx, &got); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Error(err)
	}
	if !bytes.Equal(want, got.Bytes()) {
		t.Error("the dump is another than without anybody waiting")
	}
}

// dawdle lets others go first, seldom for longer.
func dawdle(random *rand.Rand) {
	for range random.IntN(4) {
		runtime.Gosched()
	}
	if random.IntN(50) == 0 {
		<-time.After(time.Duration(random.IntN(300)) * time.Microsecond)
	}
}

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Readers and a writer that are slowed at random hand over every piece, whatever
// their number, the size of the pieces and the number of buffers: a dump of
// 10,000 empty tables once hung because the reader of the piece that the writer
// waited for was itself waiting for room in the queue.
func TestPieceQueueEnds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		random := rand.New(rand.NewPCG(seed, 7))
		pieces := make([]piece, random.IntN(400))
		for i := range pieces {
			pieces[i] = piece{table: &relation{}, watched: random.IntN(8) == 0}
			if random.IntN(3) == 0 {
				pieces[i].bytes = smallPiece + 1
			}
		}
		q := newPieceQueue(pieces)
		g, ctx := errgroup.WithContext(ctx)
		for reader := range 1 + random.IntN(8) {
			random := rand.New(rand.NewPCG(seed, uint64(reader)))
			k := &copier{}
			k.lend(1 + random.IntN(4))
			g.Go(func() error {
				asked, following := q.take(), []*pieceStream(nil)
				for ; asked != nil; asked = following {
					following = q.take() // before any of what was asked for is handed over
					for _, s := range asked {
						for range random.IntN(5) {
							yield(random)
							b, err := k.free(ctx)
							if err != nil {
								return err
							}
							q.put(s, buffer{rows: b[:1], whole: b, home: k.home})
							s.tally.rows++
						}
						yield(random)
						q.finish(s, s.tally, false)
					}
				}
				return nil
			})
		}
		g.Go(func() error {
			for i := range pieces {
				rows := int64(0)
				for {
					b, s, err := q.get(ctx, i)
					if err != nil {
						return err
					}
					if s != nil {
						if s.tally.rows != rows {
							return fmt.Errorf("piece %d: %d buffers, want %d", i, rows, s.tally.rows)
						}
						break
					}
					yield(random)
					rows++
					b.home <- b.whole
				}
			}
			return nil
		})
		if err := g.Wait(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		cancel()
	}
}

// yield lets others go first, seldom for longer.
func yield(random *rand.Rand) {
	for range random.IntN(4) {
		runtime.Gosched()
	}
	if random.IntN(50) == 0 {
		<-time.After(time.Duration(random.IntN(300)) * time.Microsecond)
	}
}

// A slowConn's reads take a time of their own.
type slowConn struct {
	net.Conn
	random *rand.Rand
}

func (c *slowConn) Read(p []byte) (int, error) {
	yield(c.random)
	return c.Conn.Read(p[:min(len(p), 1+c.random.IntN(64<<10))])
}

// Schema-per-tenant databases, ERPs and partitions made ahead have thousands of
// tables with nothing in them.
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
	var want []byte
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
			dial := src.conn.DialFunc
			src.conn.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				seed += 100
				return &slowConn{conn, rand.New(rand.NewPCG(seed, 0))}, err
			}
			random := rand.New(rand.NewPCG(uint64(jobs), 1))
			var out bytes.Buffer
			err = src.Dump(ctx, writerFunc(func(p []byte) (int, error) {
				yield(random)
				return out.Write(p)
			}))
			cancel()
			if err != nil {
				t.Fatalf("%d jobs, order %s: %v", jobs, order, err)
			}
			if want == nil {
				want = out.Bytes()
			}
			if !bytes.Equal(want, out.Bytes()) {
				t.Errorf("%d jobs, order %s: another dump than with 1", jobs, order)
			}
		}
	}
}

// A reader that somebody keeps from a table leaves it to the first session, with
// all that it had asked for at once.
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

func TestSorter(t *testing.T) {
	t.Parallel()
	number, text := sortColumn{at: 0, number: true}, sortColumn{at: 1}
	for name, c := range map[string]struct {
		key      sortKey
		in, want []string
	}{
		"numbers":         {sortKey{number}, []string{"10\ta", "9\tb", "-3\tc", "-20\td", "9223372036854775807\te", "-9223372036854775808\tf"}, []string{"-9223372036854775808\tf", "-20\td", "-3\tc", "9\tb", "10\ta", "9223372036854775807\te"}},
		"text":            {sortKey{text}, []string{"1\tb", "2\ta", "3\t", "4\t\\t", "5\ta b"}, []string{"3\t", "4\t\\t", "2\ta", "5\ta b", "1\tb"}},
		"both":            {sortKey{number, text}, []string{"2\tb", "2\ta", "1\tz"}, []string{"1\tz", "2\ta", "2\tb"}},
		"text, number":    {sortKey{text, number}, []string{"10\tb", "9\tb", "1\ta"}, []string{"1\ta", "9\tb", "10\tb"}},
		"nothing":         {sortKey{number}, nil, nil},
		"no key to speak": {nil, []string{"2", "1"}, []string{"2", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sorter{key: c.key}
			for range 2 { // it is used again
				for _, row := range c.in {
					if !s.add([]byte(row + "\n")) {
						t.Fatalf("row %q was not taken", row)
					}
				}
				var got []string
				if err := s.each(true, func(row []byte) error {
					got = append(got, strings.TrimSuffix(string(row), "\n"))
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
	s := sorter{key: sortKey{number}}
	row := []byte(strconv.Itoa(1) + "\t" + strings.Repeat("x", sortedText/2) + "\n")
	if !s.add(row) || s.add(row) {
		t.Error("a sorter takes one row of more than half of what it may hold, and not two")
	}
	failed := errors.New("failed")
	if err := s.each(true, func([]byte) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
}

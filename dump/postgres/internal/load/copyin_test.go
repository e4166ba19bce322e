package load

import (
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A session whose COPYs were refused takes the next one.
func TestCopyAfterOnesThatFailed(t *testing.T) {
	pg := servers.Postgres(t)
	conn, err := pgx.Connect(t.Context(), pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	s := &session{conn: conn}
	defer s.close()
	pg.Psql(t, "postgres", "CREATE TABLE public.t (a integer)")
	rows := strings.Repeat("1\n", 1<<18)
	copied := func(table string) error {
		if s.spares == nil {
			s.spares = newSpares(1)
		}
		item := copyItem(table, rows)
		_, _, err := s.copyIn(t.Context(), &job{item: item, rowsOf: newDealing(item.Blocks, s.spares, nil, nil)})
		return err
	}
	for range 5 {
		if err := copied("public.missing"); !server.HasCode(err, "42P01") { // undefined_table
			t.Fatalf("into no table: %v", err)
		}
	}
	if err := copied("public.t"); err != nil {
		t.Error(err)
	}
}

// copyItem is a COPY of rows into a table as a script has it.
func copyItem(table, rows string) dump.Item {
	return dump.Item{Kind: dump.Rows, Text: "COPY " + table + " FROM stdin;", Blocks: read(strings.NewReader(rows))}
}

// read is what a reader brings, as rows come.
func read(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for p := make([]byte, 100<<10); ; {
			n, err := r.Read(p)
			if n > 0 && !yield(p[:n], nil) || err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// Rows come whole and in order, however they are read.
func TestRowsReader(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 3))
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = byte(rng.Uint32())
	}
	broken := errors.New("it broke")
	spare := newSpares(1)
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
			d := newDealing(read(tt.r), spare, nil, nil)
			k := newRowsReader(d)
			read := make(chan struct{})
			go func() { defer close(read); d.deal() }()
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
			if told := k.broken.Load(); (told != nil) != (tt.want != io.EOF) || told != nil && *told != tt.want {
				t.Errorf("it was told %v", told)
			}
			<-read
			if tt.want == io.EOF && len(spare.free) != spare.made {
				t.Errorf("%d of %d buffers are back", len(spare.free), spare.made)
			}
		})
	}
}

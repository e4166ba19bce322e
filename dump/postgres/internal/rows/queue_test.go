package rows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
)

// Readers and a writer that are slowed at random hand over every piece, whatever their number, the
// size of the pieces and the number of buffers: a dump of 10,000 empty tables once hung because the
// reader of the piece that the writer waited for was itself waiting for room in the queue.
func TestPieceQueueEnds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		random := rand.New(rand.NewPCG(seed, 7))
		pieces := make([]piece, random.IntN(400))
		for i := range pieces {
			pieces[i] = piece{table: &catalog.Relation{}, watched: random.IntN(8) == 0}
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
							s.tally.Rows++
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
						if s.tally.Rows != rows {
							return fmt.Errorf("piece %d: %d buffers, want %d", i, rows, s.tally.Rows)
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

// yield lets others go first, seldom for longer.
func yield(random *rand.Rand) {
	for range random.IntN(4) {
		runtime.Gosched()
	}
	if random.IntN(50) == 0 {
		<-time.After(time.Duration(random.IntN(300)) * time.Microsecond)
	}
}

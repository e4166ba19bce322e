package dumptest

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// refusesContents loads into a database that holds something.
func (s Suite[D]) refusesContents(t *testing.T, db D, stream []byte) {
	t.Helper()
	err := s.loader(t, db, Options{Jobs: 1}).Load(t.Context(), bytes.NewReader(stream))
	if !errors.Is(err, dump.ErrNotEmpty) {
		t.Errorf("loading into a database with contents: %v, want: %v", err, dump.ErrNotEmpty)
	}
}

// notWhole reads streams that end early and streams with a byte changed.
func (s Suite[D]) notWhole(t *testing.T, db D, stream []byte) {
	nothing := s.dump(t, s.New(t), 1, nil)
	for _, whole := range [][]byte{nothing, stream} {
		s.verifiesNone(t, whole)
	}
	restored := s.Twin(t, db)
	l := len(stream)
	for _, n := range []int{0, 10, l / 4, l / 2, l - l/8, l - 150, l - 40, l - 1} {
		err := s.loader(t, restored, Options{Jobs: 2, Clean: true}).Load(t.Context(), bytes.NewReader(stream[:n]))
		if !isCut(err) {
			t.Errorf("load %d of %d bytes: %v, want: %v", n, l, err, dump.ErrTruncated)
		}
	}
	damaged := bytes.Clone(stream)
	for _, n := range []int{5, l / 2, l - 150, l - 5} {
		damaged[n] ^= 1
		if err := s.loader(t, restored, Options{Jobs: 2, Clean: true}).Load(t.Context(), bytes.NewReader(damaged)); err == nil {
			t.Errorf("load %d bytes, byte %d changed: no error", l, n)
		}
		damaged[n] ^= 1
	}
	s.noSessions(t, restored)
	// What half a load left behind is no obstacle.
	s.load(t, restored, Options{Jobs: 2, Clean: true}, stream)
	s.dumpsAs(t, "a dump of what was restored in the end", stream, restored, 2)
}

// verifiesNone verifies a stream that ends early or has a byte changed, at each of many places.
// Every time most of it is read: each processor takes its share.
func (s Suite[D]) verifiesNone(t *testing.T, whole []byte) {
	list, shares := places(len(whole)), runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for share := range shares {
		all.Go(func() {
			damaged := bytes.Clone(whole)
			for i := share; i < len(list); i += shares {
				n := list[i]
				if err := s.Verify(bytes.NewReader(whole[:n])); !isCut(err) {
					t.Errorf("verify %d of %d bytes: %v, want: %v", n, len(whole), err, dump.ErrTruncated)
				}
				damaged[n] ^= 1
				if err := s.Verify(bytes.NewReader(damaged)); err == nil {
					t.Errorf("verify %d bytes, byte %d changed: no error", len(whole), n)
				}
				damaged[n] ^= 1
			}
		})
	}
	all.Wait()
}

// isCut tells whether a loader said that a stream ends early: within its head it cannot tell that
// from a stream of another kind.
func isCut(err error) bool {
	return errors.Is(err, dump.ErrTruncated) || errors.Is(err, dump.ErrNotADump)
}

// places are offsets into a stream of n bytes: many of a short one, fewer of a long one, and most
// of them near its ends, where the odd things are.
func places(n int) []int {
	near, between := 64, 16
	if n > 1<<20 {
		near = 16 // each of those at the end is a reading of the whole
	}
	var list []int
	for i := range near {
		list = append(list, i, n-1-i)
	}
	for i := range between {
		list = append(list, n*i/between)
	}
	list = slices.DeleteFunc(list, func(i int) bool { return i < 0 || i >= n })
	slices.Sort(list)
	return slices.Compact(list)
}

// locality changes a few rows and looks at how much of the stream is new.
func (s Suite[D]) locality(t *testing.T) {
	db := s.New(t)
	s.Ledger.Fill(t, db)
	before := s.dump(t, db, 2, nil)
	known := map[string]bool{}
	fresh(known, before)
	row := len(before)/s.Ledger.Rows + 1
	check := func(what string, rows int) {
		t.Helper()
		after := s.dump(t, db, 2, nil)
		got, most := fresh(known, after), s.Ledger.Reach+2*rows*row
		t.Logf("%s: %d of %d bytes are new", what, got, len(after))
		if got > most {
			t.Errorf("%s: %d of %d bytes are new, want at most %d", what, got, len(after), most)
		}
		if bytes.Equal(before, after) {
			t.Errorf("%s: the dump is the same as before", what)
		}
		before = after
	}
	for _, n := range []int{1, 100} {
		s.Ledger.Rewrite(t, db, n)
		check(fmt.Sprintf("%d rows rewritten", n), n)
	}
	s.Ledger.Delete(t, db, 2)
	check("2 rows deleted", 2)
}

// fresh returns the number of bytes of a stream that lie in pieces which are not known yet, as a
// repository counts them. Then they are.
func fresh(known map[string]bool, stream []byte) int {
	n := 0
	for p := range pieces(stream) {
		if !known[string(p)] {
			known[string(p)] = true
			n += len(p)
		}
	}
	return n
}

// pieces cuts b where its content says: after some 4 KiB, wherever the last 32 bytes give a hash of
// a certain form. The same bytes are cut at the same places whatever stands before them.
func pieces(b []byte) func(yield func([]byte) bool) {
	const smallest, largest, mask = 512, 32 << 10, 1<<12 - 1
	return func(yield func([]byte) bool) {
		var hash uint64
		begin := 0
		for i, c := range b {
			hash = hash<<1 + gear(c)
			if n := i + 1 - begin; n >= smallest && hash>>52&mask == 0 || n >= largest {
				if !yield(b[begin : i+1]) {
					return
				}
				begin = i + 1
			}
		}
		if begin < len(b) {
			yield(b[begin:])
		}
	}
}

// gear spreads a byte over 64 bits (splitmix64).
func gear(c byte) uint64 {
	x := (uint64(c) + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

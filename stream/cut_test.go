package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func random(seed byte, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// rows is n bytes that look like a table's.
func rows(seed byte, n int) []byte {
	r := rand.New(rand.NewChaCha8([32]byte{seed}))
	b := make([]byte, 0, n+200)
	for i := 1; len(b) < n; i++ {
		b = fmt.Appendf(b, "%d\tuser %d\t%016x%016x\t{\"id\": %d, \"tags\": [%d, %d]}\t2026-11-23 %02d:%02d:00\n",
			i, i, r.Uint64(), r.Uint64(), i, i%7, i%11, i/60%24, i%60)
	}
	return b[:n]
}

// words is n bytes of text.
func words(seed byte, n int) []byte {
	list := strings.Fields("apple order customer shipping pending delivered street price quantity red blue discount invoice " +
		"total weight please leave it at the door thanks very good and then some of them were late again by two days")
	r := rand.New(rand.NewChaCha8([32]byte{seed}))
	b := make([]byte, 0, n+20)
	for len(b) < n {
		b = append(append(b, list[r.IntN(len(list))]...), " ,.\n"[r.IntN(4)])
	}
	return b[:n]
}

// cuts returns where the frames of data end, which comes in pieces of these sizes in turn; the last
// end is that of data.
func cuts(data []byte, pieces ...int) (ends []int) {
	var c cutter
	at := 0
	for turn := 0; at < len(data); turn++ {
		piece := data[at:]
		if len(pieces) > 0 {
			piece = piece[:min(len(piece), max(1, pieces[turn%len(pieces)]))]
		}
		for len(piece) > 0 {
			n, end := c.next(piece)
			piece = piece[n:]
			at += n
			if end {
				ends = append(ends, at)
			}
		}
	}
	if c.size > 0 {
		ends = append(ends, at)
	}
	return ends
}

// The same, as it is meant: the hash of the 64 bytes before says it, between the bounds.
func cutsByDefinition(data []byte) (ends []int) {
	start := 0
	for start < len(data) {
		end := min(start+maxFrame, len(data))
		for at := start + minFrame + 1; at < end; at++ {
			var hash uint64
			for _, b := range data[at-hashedBytes : at] {
				hash = hash<<1 + gear[b]
			}
			if hash < cutBelow {
				end = at
			}
		}
		ends = append(ends, end)
		start = end
	}
	return ends
}

func TestCuts(t *testing.T) {
	for name, data := range map[string][]byte{
		"random":        random(1, 4<<20),
		"rows":          rows(1, 3<<20),
		"zeros":         make([]byte, 3<<20+5),
		"nothing":       nil,
		"one byte":      {1},
		"the least":     random(2, minFrame),
		"one more":      random(3, minFrame+1),
		"the most":      make([]byte, maxFrame),
		"more than all": make([]byte, maxFrame+1),
	} {
		want := cutsByDefinition(data)
		for _, pieces := range [][]int{nil, {1}, {7, 1, 100000}, {32 << 10}, {minFrame}, {maxFrame - 1, 3}} {
			if got := cuts(data, pieces...); !slices.Equal(got, want) {
				t.Errorf("%s in pieces of %v: cut at %v, want %v", name, pieces, got, want)
			}
		}
	}
}

// No frame is shorter than the least, whatever its bytes would have: here they make a cut around
// there.
func TestLeastFrame(t *testing.T) {
	cutting := random(1, 205649)[205649-hashedBytes:] // see TestCutsStay
	for _, end := range []int{minFrame - hashedBytes, minFrame - 1, minFrame, minFrame + 1, minFrame + 2} {
		data := slices.Concat(make([]byte, end-hashedBytes), cutting, make([]byte, 1000))
		want := cutsByDefinition(data)
		if least := end <= minFrame; least == (want[0] == end) {
			t.Fatalf("bytes that make a cut at %d: by definition cut at %v", end, want)
		}
		for _, pieces := range [][]int{nil, {end}, {minFrame - 1, 1}, {1000}} {
			if got := cuts(data, pieces...); !slices.Equal(got, want) {
				t.Errorf("bytes that make a cut at %d in pieces of %v: cut at %v, want %v", end, pieces, got, want)
			}
		}
	}
}

// Other cuts are another stream: every snapshot there is would be stored anew.
func TestCutsStay(t *testing.T) {
	got := cuts(random(1, 2<<20))
	want := []int{205649, 279870, 392014, 632537, 746128, 918819, 1075591, 1150389, 1545723, 1684052, 1982930, 2097152}
	if !slices.Equal(got, want) {
		t.Errorf("cut at %v, want %v", got, want)
	}
}

func TestFrameSizes(t *testing.T) {
	data := random(1, 64<<20)
	n := len(cuts(data))
	if mean := len(data) / n; mean < 248<<10 || mean > 264<<10 {
		t.Errorf("%d frames of %d bytes on average", n, mean)
	}
}

// A change moves the cuts near it; those elsewhere stay where they are in the content.
func TestCutsAreLocal(t *testing.T) {
	data := rows(1, 16<<20)
	ends := cuts(data)
	at := len(data) / 2
	for name, changed := range map[string][]byte{
		"a byte changed":  slices.Concat(data[:at], []byte{'x'}, data[at+1:]),
		"a byte put in":   slices.Concat(data[:at], []byte{'x'}, data[at:]),
		"a byte less":     slices.Concat(data[:at], data[at+1:]),
		"much put in":     slices.Concat(data[:at], rows(2, 3<<20), data[at:]),
		"much taken away": slices.Concat(data[:at], data[at+3<<20:]),
	} {
		moved := len(changed) - len(data)
		var before, after []int // distances of cuts from the change, that are in only one
		for _, end := range cuts(changed) {
			if end < at && !slices.Contains(ends, end) {
				before = append(before, at-end)
			}
			if end > at+3<<20+2<<20 && !slices.Contains(ends, end-moved) {
				after = append(after, end-at)
			}
		}
		if len(before) > 0 || len(after) > 0 {
			t.Errorf("%s: cuts moved that far before %v and after %v", name, before, after)
		}
	}
}

func FuzzCuts(f *testing.F) {
	f.Add(random(1, 200<<10), 1, 1000)
	f.Add(make([]byte, 2000), 7, 3)
	f.Fuzz(func(t *testing.T, seed []byte, a, b int) {
		if len(seed) == 0 {
			return
		}
		data := bytes.Repeat(seed, 1+(1<<20)/len(seed))
		if got, want := cuts(data, a, b), cuts(data); !slices.Equal(got, want) {
			t.Errorf("in pieces of %d and %d: cut at %v, in one at %v", a, b, got, want)
		}
	})
}

func BenchmarkCutter(b *testing.B) {
	data := random(1, 64<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_ = cuts(data, 32<<10)
	}
}

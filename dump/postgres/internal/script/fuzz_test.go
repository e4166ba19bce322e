package script

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addScripts(f *testing.F, add func(string)) {
	for _, s := range nasty {
		add(s)
	}
	add("\\restrict a\n\\unrestrict a\n\\c -reuse-previous=on \"dbname='x'\"\nselect \\; 1;")
	add("\\c 'a\\x41\\1'\"b\"\"c\";;\\\\\\c `d`\n:{?x}")
}

// FuzzReader holds for any input: no panic, an end, items that fit into the script, and the same
// items whatever the buffer.
func FuzzReader(f *testing.F) {
	addScripts(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, s string) {
		sent, rest, err := readAll(NewReader(strings.NewReader(s)))
		size := len(rest)
		for _, m := range sent {
			size += len(m.Query) + len(m.Rows)
			if strings.HasPrefix(m.Query, "set client_encoding to '") {
				size -= len("set client_encoding to '") // longer than \encoding
			}
		}
		if size > len(s) || len(sent) > len(s)+1 {
			t.Errorf("%d bytes gave %d bytes in %d messages", len(s), size, len(sent))
		}
		small := newReader(source{r: strings.NewReader(s), buf: make([]byte, 8)})
		again, restAgain, errAgain := readAll(small)
		if diff := cmp.Diff(sent, again); diff != "" || rest != restAgain || (err == nil) != (errAgain == nil) ||
			err != nil && err.Error() != errAgain.Error() {
			t.Errorf("with a small buffer: %q %v, %q %v: %s", rest, err, restAgain, errAgain, diff)
		}
	})
}

// FuzzConcatenation holds that a script that ends cleanly leaves nothing behind for the next.
func FuzzConcatenation(f *testing.F) {
	addScripts(f, func(s string) { f.Add(s, "select 1;\ncopy t from stdin;\n1\n\\.\n") })
	f.Fuzz(func(t *testing.T, a, b string) {
		ra := NewReader(strings.NewReader(a))
		first, rest, err := readAll(ra)
		if err != nil || rest != "" || ra.restricted || !ra.std {
			return
		}
		if strings.HasPrefix(b, "\ufeff") || strings.HasPrefix(b, "PGDMP") { // these mean something on a first line alone
			return
		}
		second, restB, errB := readAll(NewReader(strings.NewReader(b)))
		both, rest, err := readAll(NewReader(strings.NewReader(a + "\n" + b)))
		want := first
		for _, m := range second[1:] {
			if m.Database == "first" {
				m.Database = first[len(first)-1].Database
			}
			want = append(want, m)
		}
		if diff := cmp.Diff(want, both); diff != "" || rest != restB || (err == nil) != (errB == nil) {
			t.Errorf("apart: %q %v; together: %q %v: %s", restB, errB, rest, err, diff)
		}
	})
}

// FuzzSingle holds single against a Reader.
func FuzzSingle(f *testing.F) {
	addScripts(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, s string) {
		r := NewReader(strings.NewReader(s))
		var kinds []Kind
		var err error
		for {
			var it Item
			if it, err = r.Next(); err != nil {
				break
			}
			kinds = append(kinds, it.Kind)
		}
		one := len(kinds) == 1 && (kinds[0] == Statement && err == io.EOF && len(r.text) == 0 ||
			kinds[0] == Copy && errors.Is(err, io.ErrUnexpectedEOF))
		if l := unreplaced(s); unreplaced(l) != l || strings.ReplaceAll(l, ": ", ":") != strings.ReplaceAll(s, ": ", ":") {
			t.Errorf("unreplaced gives %q, and of that %q", l, unreplaced(l))
		}
		oneStatement := single(s)
		if oneStatement == nil && !one {
			t.Errorf("Single accepts what is read as %v, %v", kinds, err)
		}
		if oneStatement != nil && one && kinds[0] == Statement && !strings.Contains(s, `\`) {
			t.Errorf("single: %v, though it is read as one statement", oneStatement)
		}
	})
}

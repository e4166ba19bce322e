package dump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// excerptOf makes an excerpt of a dump by its own manifest, and reads the excerpt's.
func excerptOf(t *testing.T, stream []byte, wants func(Part) bool) (text []byte, e *Excerpt) {
	t.Helper()
	c, err := ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	if e, err = c.Excerpt(wants); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b, SpansOf(bytes.NewReader(stream))); err != nil {
		t.Fatal(err)
	}
	if err := Verify(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatalf("the excerpt is no whole dump: %v", err)
	}
	again, err := ReadContents(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if diff := cmp.Diff(e.Contents, *again); err != nil || diff != "" {
		t.Errorf("the excerpt's manifest: %v, (-said before +read):\n%s", err, diff)
	}
	return b.Bytes(), e
}

// An excerpt has the parts that are wanted as they stand in the dump, those that adjoin as one
// span, and lists their tables with the rows and hashes of before.
func TestExcerpt(t *testing.T) {
	stream, parts := partsOf(t)
	odd := "public.\"b\n" + manifestHead
	for name, test := range map[string]struct {
		wants  func(Part) bool
		parts  []int
		spans  int
		tables []string
	}{
		"one table":   {func(p Part) bool { return p.Kind != Rows || p.Name == "public.a" }, []int{0, 1, 3, 4, 5}, 2, []string{"public.a"}},
		"an odd name": {func(p Part) bool { return p.Name == odd || p.Kind == Definitions }, []int{0, 2}, 2, []string{odd}},
		"definitions": {func(p Part) bool { return p.Kind == Definitions || p.Kind == AfterRows }, []int{0, 3, 5}, 3, nil},
		"nothing":     {func(Part) bool { return false }, []int{0}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, e := excerptOf(t, stream, test.wants)
			var want string
			for _, i := range test.parts {
				want += parts[i]
			}
			if !strings.HasPrefix(string(got), want+manifestHead) {
				t.Errorf("%d bytes, want %d and a manifest; the excerpt begins %.200q", len(got), len(want), got)
			}
			if len(e.Spans) != test.spans || e.Passed == 0 {
				t.Errorf("spans %v, %d bytes passed over; want %d spans", e.Spans, e.Passed, test.spans)
			}
			var tables []string
			for _, table := range e.Contents.Tables {
				tables = append(tables, table.Name)
			}
			if diff := cmp.Diff(test.tables, tables); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
			for _, p := range e.Contents.Parts {
				if p.Name == "public.a" && p.Kind == Rows && (p.Rows != 70_000 || p.Hash != 7) {
					t.Errorf("part %+v", p)
				}
			}
		})
	}
}

// A table that has no rows may have no bytes of them. Whether the excerpt lists it is asked for all
// the same.
func TestExcerptOfNoBytes(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, "mysql")
	w.Begin(Definitions, "")
	w.WriteString("CREATE TABLE `a` (); CREATE TABLE `none` ();\n")
	w.Begin(Rows, "`a`")
	w.WriteString("1\n")
	w.Begin(Rows, "`none`")
	w.Begin(Definitions, "")
	w.WriteString("CREATE VIEW `v`;\n")
	tables := Manifest{{Name: "`a`", Rows: 1, Hash: 7}, {Name: "`none`"}}
	if err := w.End(tables); err != nil {
		t.Fatal(err)
	}
	for i, table := range tables {
		_, e := excerptOf(t, b.Bytes(), func(p Part) bool { return p.Kind == Definitions || p.Name == table.Name })
		if diff := cmp.Diff(tables[i:i+1], e.Contents.Tables); diff != "" {
			t.Errorf("tables (-want +got):\n%s", diff)
		}
		if rows := int64(len("1\n")); e.Passed != rows*int64(i) {
			t.Errorf("the excerpt of %s passes over %d bytes", table.Name, e.Passed)
		}
	}
}

// What all of a dump is wanted of is the dump.
func TestExcerptOfAll(t *testing.T) {
	stream, _ := partsOf(t)
	got, e := excerptOf(t, stream, func(Part) bool { return true })
	if !bytes.Equal(got, stream) || e.Passed != 0 || len(e.Spans) != 1 {
		t.Errorf("%d bytes of %d, %d passed over, spans %v", len(got), len(stream), e.Passed, e.Spans)
	}
}

// A dump that does not say where its parts are, or not in a way that fits, has no excerpt; one that
// was not read, or not written, whole is an error and no whole dump.
func TestExcerptRefused(t *testing.T) {
	all := func(Part) bool { return true }
	if _, err := new(Contents).Excerpt(all); !errors.Is(err, ErrNoManifest) {
		t.Errorf("without parts: %v", err)
	}
	rows := func(names ...string) (ps Parts) {
		for i, name := range names {
			ps = append(ps, Part{Kind: Rows, Name: name, First: int64(i), Bytes: 1})
		}
		return ps
	}
	for _, c := range []Contents{
		{Parts: rows("a", "b"), Tables: Manifest{{Name: "b"}, {Name: "a"}}},
		{Parts: rows("a")},
		{Parts: rows("a", "a"), Tables: Manifest{{Name: "a"}}},
	} {
		if _, err := c.Excerpt(all); !errors.Is(err, ErrDamaged) {
			t.Errorf("parts %v of tables %v: %v", c.Parts, c.Tables, err)
		}
	}
	framed := Contents{Parts: Parts{{Kind: Definitions, Bytes: 10, Frame: 24}}}
	if _, err := framed.Excerpt(all); err == nil {
		t.Error("of frames: no error")
	}

	stream, _ := partsOf(t)
	_, e := excerptOf(t, stream, func(p Part) bool { return p.Kind != Rows })
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b, SpansOf(bytes.NewReader(stream[:70]))); !errors.Is(err, ErrTruncated) {
		t.Errorf("of a dump that has become shorter: %v", err)
	}
	if Verify(&b) == nil {
		t.Error("what was written then is a whole dump")
	}
	if err := e.Write(t.Context(), brokenWriter{}, SpansOf(bytes.NewReader(stream))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("nobody takes it: %v", err)
	}
	lost := errors.New("connection lost")
	if err := e.Write(t.Context(), io.Discard, func(context.Context, io.Writer, []Span) error { return lost }); !errors.Is(err, lost) {
		t.Errorf("nobody gives it: %v", err)
	}
}

package dump

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// partsOf writes a dump of three tables, one of them empty, and returns it with what stands in its
// parts.
func partsOf(t *testing.T) (stream []byte, want []string) {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, "postgres")
	part := func(kind Kind, name, text string) {
		w.Begin(kind, name)
		w.WriteString(text[:len(text)/2])
		w.Begin(kind, name) // is the same part
		io.WriteString(w, text[len(text)/2:])
	}
	add := func(kind Kind, name, text string) {
		part(kind, name, text)
		want = append(want, text)
	}
	add(Definitions, "", "CREATE TABLE a ();\n")
	want[0] = headPrefix + "postgres\n" + want[0]
	add(Rows, "public.a", strings.Repeat("1\n", 70_000))
	part(AfterRows, "public.a", "")
	add(Rows, "public.\"b\n"+manifestHead, "COPY\n\\.\n")
	add(AfterRows, "public.b", "CREATE INDEX;\n"+manifestHead+"-- part rows \"x\" bytes 1\n")
	add(Objects, "", "lo\n")
	add(AfterRows, "", "GRANT;\n")
	if err := w.End(Manifest{{Name: "public.a", Rows: 70_000, Hash: 7}, {Name: "public.\"b\n" + manifestHead}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), want
}

// The manifest read from the end of a dump says where each part begins and ends; the dump is a
// whole one as before.
func TestContents(t *testing.T) {
	stream, want := partsOf(t)
	if err := Verify(bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	c, err := ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Parts {
		got = append(got, string(stream[p.First:p.End()]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if p := c.Parts[1]; p.Kind != Rows || p.Name != "public.a" || p.Rows != 70_000 || p.Hash != 7 {
		t.Errorf("second part: %+v", p)
	}
	again, err := ParseContents(c.Encode())
	if diff := cmp.Diff(c, again); err != nil || diff != "" {
		t.Errorf("encoded and parsed: %v, (-want +got):\n%s", err, diff)
	}
}

// A manifest that is longer than what is read at first is read whole.
func TestContentsOfManyTables(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, "postgres")
	var m Manifest
	for range 5000 {
		name := strings.Repeat("n", len(m)%200)
		w.Begin(Rows, name)
		w.WriteString("x\n")
		w.Begin(AfterRows, name)
		w.WriteString("y\n")
		m = append(m, Table{Name: name})
	}
	if err := w.End(m); err != nil {
		t.Fatal(err)
	}
	c, err := ReadContents(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(c.Parts) != 10_000 || len(c.Tables) != 5000 {
		t.Fatalf("%+v, %v", c, err)
	}
}

// What is not a dump's end, or not all of it, is an error; never other parts.
func TestContentsRefused(t *testing.T) {
	stream, _ := partsOf(t)
	for n := range len(stream) {
		if n > 200 && n < len(stream)-2000 {
			continue
		}
		if c, err := ReadContents(bytes.NewReader(stream), int64(n)); !errors.Is(err, ErrTruncated) {
			t.Fatalf("first %d of %d bytes: %v, %v", n, len(stream), c, err)
		}
	}
	old := sample(t, "SELECT 1;\n")
	if _, err := ReadContents(bytes.NewReader(old), int64(len(old))); !errors.Is(err, ErrNoManifest) {
		t.Errorf("a dump without parts: %v", err)
	}
	if _, err := ReadContents(bytes.NewReader(stream[1:]), int64(len(stream)-1)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a dump without its first byte: %v", err)
	}
	c, err := ReadContents(bytes.NewReader(stream), int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	text := c.Encode()
	for i := range text {
		other := bytes.Clone(text)
		other[i] ^= 1
		if _, err := ParseContents(other); err == nil {
			t.Fatalf("byte %d of %d changed, and nobody sees it", i, len(text))
		}
		if _, err := ParseContents(text[:i]); err == nil {
			t.Fatalf("%d of %d bytes are taken for all", i, len(text))
		}
	}
}

// Frames are told apart by the distance from one to the next, so that what moves all of them
// changes one line.
func TestLocate(t *testing.T) {
	parts := Parts{{Kind: Definitions, Bytes: 10}, {Kind: Rows, Name: "a", First: 10, Bytes: 300}, {Kind: Rows, Name: "b", First: 310, Bytes: 5}}
	parts.Locate(func(at int64) (begins, first int64) {
		first = at / 100 * 100
		return 24 + first/2, first
	})
	c, err := ParseContents((&Contents{Parts: parts}).Encode())
	if diff := cmp.Diff(parts, c.Parts); err != nil || diff != "" {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	if p := c.Parts[2]; p.Frame != 24+150 || p.Skip != 10 {
		t.Errorf("part %+v", p)
	}
}

// A dump without parts is known as one by its last lines: it is not read in search of a manifest,
// and what looks like one among its rows is none.
func TestContentsOfOldDumps(t *testing.T) {
	body := strings.Repeat(manifestHead+"-- part rows \"x\" bytes 1\n", 2*tailSize/10)
	for _, end := range []string{"", "\\.\n", "SELECT 1;\n"} {
		stream := sample(t, body+end)
		read := &countedReader{r: bytes.NewReader(stream)}
		_, err := ReadContents(read, int64(len(stream)))
		if end == "" { // as nothing else can end but a manifest: its parts do not add up
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v", err)
			}
			continue
		}
		if !errors.Is(err, ErrNoManifest) || read.n > tailSize {
			t.Errorf("%q: %v, having read %d of %d bytes", end, err, read.n, len(stream))
		}
	}
}

type countedReader struct {
	r io.ReaderAt
	n int
}

func (c *countedReader) ReadAt(p []byte, at int64) (int, error) {
	c.n += len(p)
	return c.r.ReadAt(p, at)
}

// A line that somebody forged costs no more than it has, and is not repeated whole.
func TestForgedLine(t *testing.T) {
	line := partPrefix + `rows "x" bytes 1` + strings.Repeat(" ", 10<<20)
	var ps Parts
	if _, err := ps.parse(line); err == nil || len(err.Error()) > 1000 {
		t.Errorf("parts: an error of %d bytes", len(err.Error()))
	}
	if _, _, err := ParseTable(manifestPrefix + `"x" rows 1` + strings.Repeat(" ", 10<<20)); err == nil || len(err.Error()) > 1000 {
		t.Errorf("table: an error of %d bytes", len(err.Error()))
	}
}

func FuzzParsePart(f *testing.F) {
	f.Add(`-- part rows "public.t" bytes 12`)
	f.Add(`-- part definitions "" bytes 12 frame 24 skip 0`)
	f.Fuzz(func(t *testing.T, line string) {
		var got Parts
		if ok, err := got.parse(line); !ok || err != nil {
			return
		}
		var again Parts
		text := string(got.append(nil))
		if ok, err := again.parse(strings.TrimSuffix(text, "\n")); !ok || err != nil || !cmp.Equal(again, got) {
			t.Errorf("%q was read as %+v, written as %q and read as %+v, %v", line, got, text, again, err)
		}
	})
}

package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
)

func doc(t testing.TB, d bson.D) []byte {
	t.Helper()
	raw, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

var samplePrelude = Prelude{
	ServerVersion: "7.0.1",
	Concurrent:    1,
	Collections: []Collection{
		{DB: "app", Name: "a", Type: "collection", Metadata: `{"options":{},"indexes":[]}`},
		{DB: "app", Name: "empty", Type: "collection"},
		{DB: "app", Name: "ts", Type: "timeseries"},
		{DB: "", Name: "oplog"},
	},
}

// sample is an archive of ours, and what is in it.
func sample(t testing.TB) ([]byte, map[string][][]byte) {
	t.Helper()
	content := map[string][][]byte{
		"app.a":     {doc(t, bson.D{{Key: "_id", Value: 1}}), doc(t, bson.D{}), doc(t, bson.D{{Key: "a", Value: "x"}, {Key: "a", Value: "y"}})},
		"app.empty": nil,
		"app.ts":    {doc(t, bson.D{{Key: "_id", Value: bson.D{{Key: "", Value: 1.5}}}})},
		".oplog":    {doc(t, bson.D{{Key: "ts", Value: bson.Timestamp{T: 1, I: 2}}})},
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, samplePrelude)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range samplePrelude.Collections {
		if err := w.Begin(&c); err != nil {
			t.Fatal(err)
		}
		docs := content[c.Namespace()]
		if len(docs) > 0 {
			if _, err := w.Write(bytes.Join(docs, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), content
}

// readAll reads an archive to its end.
func readAll(r io.Reader) (*Reader, map[string][][]byte, error) {
	a, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	content := map[string][][]byte{}
	for {
		b, err := a.Next()
		if err == io.EOF {
			return a, content, nil
		}
		if err != nil {
			return a, content, err
		}
		ns := b.Namespace()
		content[ns] = content[ns][:len(content[ns]):len(content[ns])]
		for b.End == nil {
			d, err := a.Document()
			if err == io.EOF {
				break
			}
			if err != nil {
				return a, content, err
			}
			content[ns] = append(content[ns], bytes.Clone(d))
		}
	}
}

func TestRoundTrip(t *testing.T) {
	stream, want := sample(t)
	for name, r := range map[string]io.Reader{
		"whole":     bytes.NewReader(stream),
		"byte-wise": iotest.OneByteReader(bytes.NewReader(stream)),
		"data+EOF":  iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		a, got, err := readAll(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: documents (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(samplePrelude.Collections, a.Prelude().Collections); d != "" {
			t.Errorf("%s: collections (-want +got):\n%s", name, d)
		}
		if m := a.Contents().Tables; len(m) != 4 || m.Rows() != 5 || m[0].Name != "app.a" || m[0].Rows != 3 || m[2].Name != "app.system.buckets.ts" {
			t.Errorf("%s: manifest %+v", name, m)
		}
	}
}

func TestNextPassesOver(t *testing.T) {
	stream, _ := sample(t)
	a, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = a.Next()
	}
	if err != io.EOF || a.Contents().Tables.Rows() != 5 {
		t.Errorf("%v, %d documents; want EOF, 5", err, a.Contents().Tables.Rows())
	}
}

// Every shorter archive is refused, and every one with a byte changed.
func TestWhatIsNotWholeIsRefused(t *testing.T) {
	stream, _ := sample(t)
	var nothing bytes.Buffer
	w, err := NewWriter(&nothing, Prelude{ServerVersion: "7.0.1", Concurrent: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{stream, nothing.Bytes()} {
		if _, _, err := readAll(bytes.NewReader(whole)); err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			if _, _, err := readAll(bytes.NewReader(whole[:n])); !errors.Is(err, dump.ErrTruncated) && !errors.Is(err, dump.ErrNotADump) {
				t.Fatalf("first %d of %d bytes: %v", n, len(whole), err)
			}
			for _, bits := range []byte{1, 0x20, 0xff} {
				changed := bytes.Clone(whole)
				changed[n] ^= bits
				if _, _, err := readAll(bytes.NewReader(changed)); err == nil {
					t.Fatalf("byte %d of %d, bits %x changed: no error; near %q", n, len(whole), bits, whole[max(0, n-20):min(len(whole), n+20)])
				}
			}
		}
		if _, _, err := readAll(bytes.NewReader(append(bytes.Clone(whole), 5, 0, 0, 0, 0))); err == nil {
			t.Error("a document more at the end: no error")
		}
	}
}

func TestReaderKeepsTheError(t *testing.T) {
	broken := errors.New("connection lost")
	stream, _ := sample(t)
	for n := range len(stream) + 1 {
		_, _, err := readAll(io.MultiReader(bytes.NewReader(stream[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Fatalf("error after %d of %d bytes: %v, want %v", n, len(stream), err, broken)
		}
	}
}

// As mongodump writes two collections that it reads at once.
func interleaved(t testing.TB) []byte {
	t.Helper()
	out := binary.LittleEndian.AppendUint32(nil, magic)
	end := func() { out = binary.LittleEndian.AppendUint32(out, terminator) }
	add := func(d bson.D) { out = append(out, doc(t, d)...) }
	add(bson.D{{Key: "concurrent_collections", Value: int32(4)}, {Key: "version", Value: "0.1"}, {Key: "server_version", Value: "5.0.3"}, {Key: "tool_version", Value: "100.9.4"}})
	for _, name := range []string{"b", "a"} {
		add(bson.D{{Key: "db", Value: "app"}, {Key: "collection", Value: name}, {Key: "metadata", Value: ""}, {Key: "size", Value: int32(0)}, {Key: "type", Value: "collection"}})
	}
	end()
	var crc [2]uint64
	block := func(i int, docs ...bson.D) {
		add(bson.D{{Key: "db", Value: "app"}, {Key: "collection", Value: "ab"[i : i+1]}, {Key: "EOF", Value: false}, {Key: "CRC", Value: int64(0)}})
		for _, d := range docs {
			crc[i] = crc64.Update(crc[i], crc64.MakeTable(crc64.ECMA), doc(t, d))
			add(d)
		}
		end()
	}
	last := func(i int) {
		add(bson.D{{Key: "db", Value: "app"}, {Key: "collection", Value: "ab"[i : i+1]}, {Key: "EOF", Value: true}, {Key: "CRC", Value: int64(crc[i])}})
		end()
	}
	block(0, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}})
	block(1, bson.D{{Key: "_id", Value: 1}})
	block(0, bson.D{{Key: "_id", Value: 3}})
	block(1)
	last(1)
	block(0, bson.D{{Key: "_id", Value: 4}})
	last(0)
	return out
}

func TestInterleavedBlocks(t *testing.T) {
	stream := interleaved(t)
	a, got, err := readAll(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	if len(got["app.a"]) != 4 || len(got["app.b"]) != 1 || a.Prelude().vouched() || a.Prelude().Concurrent != 4 {
		t.Errorf("read %v", got)
	}
	for n := range stream {
		if _, _, err := readAll(bytes.NewReader(stream[:n])); !errors.Is(err, dump.ErrTruncated) && !errors.Is(err, dump.ErrNotADump) {
			t.Fatalf("first %d of %d bytes: %v", n, len(stream), err)
		}
	}
	changed := bytes.Replace(stream, doc(t, bson.D{{Key: "_id", Value: 3}}), doc(t, bson.D{{Key: "_id", Value: 5}}), 1)
	if _, _, err := readAll(bytes.NewReader(changed)); !errors.Is(err, dump.ErrDamaged) {
		t.Errorf("another document: %v, want %v", err, dump.ErrDamaged)
	}
}

func TestWriterRefuses(t *testing.T) {
	c := samplePrelude.Collections
	begun := func() *Writer {
		w, err := NewWriter(io.Discard, samplePrelude)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for name, do := range map[string]func(w *Writer) error{
		"another collection":   func(w *Writer) error { return w.Begin(&c[1]) },
		"begun twice":          func(w *Writer) error { return errors.Join(w.Begin(&c[0]), w.Begin(&c[0])) },
		"closed too early":     func(w *Writer) error { _, err := w.Close(); return err },
		"ended without begin":  func(w *Writer) error { return w.End() },
		"half a document":      func(w *Writer) error { w.Begin(&c[0]); _, err := w.Write([]byte{6, 0, 0, 0, 0}); return err },
		"a bit of a length":    func(w *Writer) error { w.Begin(&c[0]); _, err := w.Write([]byte{5, 0, 0, 0, 0, 5}); return err },
		"outside a collection": func(w *Writer) error { _, err := w.Write([]byte{5, 0, 0, 0, 0}); return err },
	} {
		if do(begun()) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNotAnArchive(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "not an archive of breaking-backups or mongodump",
		"\x1f\x8b\x08\x00":                   "not an archive of breaking-backups or mongodump: it is compressed by gzip",
		"-- breaking-backups dump 1 mysql\n": "not an archive of breaking-backups or mongodump: it is a dump of another kind of database",
	} {
		_, err := NewReader(bytes.NewReader([]byte(text)))
		if !errors.Is(err, dump.ErrNotADump) || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// A large document whose bytes never come must not take memory for them.
func TestLengthIsNotBelieved(t *testing.T) {
	stream, _ := sample(t)
	at := bytes.Index(stream, doc(t, bson.D{{Key: "_id", Value: 1}}))
	binary.LittleEndian.PutUint32(stream[at:], maxDocument)
	a, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Document(); !errors.Is(err, dump.ErrTruncated) {
		t.Error(err)
	}
	if cap(a.buf) > 4<<20 {
		t.Errorf("%d bytes were made room for", cap(a.buf))
	}
}

func BenchmarkWriter(b *testing.B) {
	var docs []byte
	for i := range 10_000 {
		docs = append(docs, doc(b, bson.D{{Key: "_id", Value: i}, {Key: "text", Value: fmt.Sprintf("%0380d", rand.Uint64())}})...)
	}
	w, _ := NewWriter(io.Discard, samplePrelude)
	w.Begin(&samplePrelude.Collections[0])
	b.SetBytes(int64(len(docs)))
	for b.Loop() {
		w.Write(docs)
	}
}

// counted counts what is read through it.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// again reads as the same bytes without end.
type again struct {
	bytes []byte
	at    int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.bytes[a.at:])
	a.at = (a.at + n) % len(a.bytes)
	return n, nil
}

// A prelude that does not end is given up before it has taken more memory than there is: some
// hundred bytes of a compressed file say as much as one likes.
func TestPreludeIsBounded(t *testing.T) {
	head := binary.LittleEndian.AppendUint32(nil, magic)
	header := append(head[:4:4], doc(t, bson.D{
		{Key: "concurrent_collections", Value: int32(1)}, {Key: "version", Value: "0.1"}, {Key: "server_version", Value: "7.0.1"}, {Key: "tool_version", Value: "100.4.0"},
	})...)
	described := func(metadata int) []byte {
		c := Collection{DB: "app", Name: "c", Type: "collection", Metadata: string(make([]byte, metadata))}
		raw, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	small := bounds{document: 1 << 10, all: 10 << 10, collections: 20}
	const buffer = 256 << 10 // of the reader
	for name, test := range map[string]struct {
		begin, rest []byte
		most        bounds
		bytes       int64 // that are read at most
	}{
		"large ones":       {header, described(900), small, buffer},
		"small ones":       {header, described(0), small, buffer},
		"one that is long": {header, described(1000), small, buffer},
		"a long header":    {binary.LittleEndian.AppendUint32(head[:4:4], 17<<20), []byte{0}, preludeBounds(), buffer},
		"one of 17 MiB":    {header, binary.LittleEndian.AppendUint32(nil, 17<<20), preludeBounds(), buffer},
		"one of fields":    {header, manyFields(1 << 20), preludeBounds(), 16 << 20},
	} {
		r := &counted{Reader: io.MultiReader(bytes.NewReader(test.begin), &again{bytes: test.rest})}
		a := newReader(r)
		if err := a.readPrelude(test.most); !errors.Is(err, dump.ErrDamaged) || r.n > test.bytes {
			t.Errorf("%s: %d bytes were read, want at most %d; %v", name, r.n, test.bytes, err)
		}
	}
}

// manyFields is a document of so many fields and nothing else.
func manyFields(n int) []byte {
	var d []byte
	for i := range n {
		d = append(fmt.Appendf(append(d, 0x0a), "%d", i), 0)
	}
	return append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(d)+5)), d...), 0)
}

// Two collections of one place are no archive, as none could read it.
func TestCollectionThatComesTwice(t *testing.T) {
	_, err := NewWriter(io.Discard, Prelude{ServerVersion: "7.0.1", Collections: []Collection{{DB: "app", Name: "c", Type: "timeseries"}, {DB: "app", Name: "system.buckets.c"}}})
	if err == nil || !strings.Contains(err.Error(), "app.system.buckets.c comes twice") {
		t.Error(err)
	}
}

// What an archive could not be read from is not written.
func TestPreludeThatIsTooLarge(t *testing.T) {
	large := Collection{DB: "app", Name: "c", Metadata: string(make([]byte, 900))}
	most := bounds{document: 1 << 10, all: 3 << 10, collections: 20}
	for name, test := range map[string]struct {
		collections []Collection
		want        string
	}{
		"one":  {[]Collection{{DB: "app", Name: "c", Metadata: string(make([]byte, 1000))}}, "app.c: its metadata has 10"},
		"all":  {[]Collection{large, large, large, large}, "the metadata of all collections has more than the 3072 bytes"},
		"many": {make([]Collection, 21), "21 collections, more than the 20"},
	} {
		p := Prelude{Collections: test.collections}
		if _, err := p.encode(most); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want: … %s …", name, err, test.want)
		}
	}
}

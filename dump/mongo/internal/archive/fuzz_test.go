package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// FuzzReader holds the reader to a plain reading of the format, and to the writer: what it reads as
// whole can be written, and is then read as the same. What was changed gets the checksums that it
// would have been written with as well, for few changes would go further without.
func FuzzReader(f *testing.F) {
	stream, _ := sample(f)
	f.Add(stream, true)
	f.Add(interleaved(f), true)
	f.Add(stream[:len(stream)/2], true)
	f.Fuzz(func(t *testing.T, stream []byte, mended bool) {
		if mended {
			stream = bytes.Clone(stream)
			_, _, _ = plainly(stream, true)
		}
		p, content, err := readCollections(bytes.NewReader(stream))
		plain, vouched, plainErr := plainly(stream, false)
		if err == nil && plainErr != nil || !vouched && plainErr == nil && err != nil {
			t.Fatalf("%q: read with %v, plainly with %v", stream, err, plainErr)
		}
		_, items, itemsErr := readItems(bytes.NewReader(stream))
		if (err == nil) != (itemsErr == nil) {
			t.Fatalf("%q: read with %v, as items with %v", stream, err, itemsErr)
		}
		if err != nil {
			return
		}
		for i := range p.Collections {
			if d := cmp.Diff(content[i], items[p.table(&p.Collections[i])]); d != "" {
				t.Fatalf("%q: read - and as items +\n%s", stream, d)
			}
		}
		if d := cmp.Diff(plain, content); d != "" {
			t.Fatalf("%q: plainly - and read +\n%s", stream, d)
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, *p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Collections {
			if err := w.Begin(&p.Collections[i]); err != nil {
				t.Fatal(err)
			}
			for _, d := range content[i] {
				if _, err := w.Write(d); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := readCollections(bytes.NewReader(b.Bytes())); err == nil {
			t.Fatal("an archive is whole before it is closed")
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		written := bytes.Clone(b.Bytes())
		if _, vouched, err := plainly(written, false); err != nil || !vouched {
			t.Errorf("%q: written, and plainly read with %v", stream, err)
		}
		again, sameContent, err := readCollections(&b)
		if err != nil || !cmp.Equal(sameContent, content) || !slices.Equal(again.Collections, p.Collections) || again.ServerVersion != p.ServerVersion {
			t.Errorf("%q was read as %v %v, then as %v %v, %v", stream, p, content, again, sameContent, err)
		}
	})
}

// readCollections returns each collection's documents, in the order of the prelude.
func readCollections(r io.Reader) (*Prelude, [][][]byte, error) {
	a, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	p := a.Prelude()
	content := make([][][]byte, len(p.Collections))
	for {
		b, err := a.Next()
		if err == io.EOF {
			return p, content, nil
		}
		if err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(p.Collections, func(c Collection) bool { return c.DB == b.DB && p.dataName(&c) == p.dataName(b.Collection) })
		for b.End == nil {
			d, err := a.Document()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, nil, err
			}
			content[i] = append(content[i], bytes.Clone(d))
		}
	}
}

// plainly reads an archive as its format is described, from memory and at leisure. It holds one
// that is vouched for to the hashes and counts, but not to being as it is written here to the byte.
// With mend it puts those right instead.
func plainly(stream []byte, mend bool) (content [][][]byte, vouched bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			content, err = nil, fmt.Errorf("%v", v)
		}
	}()
	rest := stream
	insist := func(ok bool, what string) {
		if !ok {
			panic(fmt.Sprintf("%d bytes before the end: %s", len(rest), what))
		}
	}
	item := func() []byte { // nil: a terminator
		n := binary.LittleEndian.Uint32(rest)
		if n == 0xffff_ffff {
			rest = rest[4:]
			return nil
		}
		insist(n >= 5 && n <= 32<<20 && rest[n-1] == 0, "no document")
		doc := rest[:n]
		rest = rest[n:]
		return doc
	}
	fields := func(doc []byte, want ...string) map[string]bson.RawValue {
		insist(doc != nil, "a terminator")
		elements, err := bson.Raw(doc).Elements()
		insist(err == nil, "no BSON")
		got, types := map[string]bson.RawValue{}, map[string]bool{}
		for _, e := range elements {
			maps.DeleteFunc(types, func(key string, _ bool) bool { return strings.HasPrefix(key, e.Key()+" ") })
			types[e.Key()+" "+e.Value().Type.String()] = true
			got[e.Key()] = e.Value()
		}
		for _, w := range want {
			insist(types[w], "no "+w)
		}
		insist(len(types) == len(want), "more fields")
		return got
	}

	number := func(v bson.RawValue, want uint64, what string) {
		if mend {
			binary.LittleEndian.PutUint64(v.Value, want)
		}
		insist(binary.LittleEndian.Uint64(v.Value) == want, what)
	}

	insist(binary.LittleEndian.Uint32(rest) == 0x8199e26d, "no magic number")
	rest = rest[4:]
	head := []string{"concurrent_collections 32-bit integer", "version string", "server_version string", "tool_version string"}
	doc := item()
	tool, _ := bson.Raw(doc).Lookup("tool_version").StringValueOK()
	if vouched = tool == "breaking-backups"; vouched {
		head = append(head, "check 64-bit integer")
	}
	header := fields(doc, head...)
	headerEnd := len(stream) - len(rest)
	insist(header["version"].StringValue() == "0.1", "another version")

	at := map[[2]string]int{}
	for doc := item(); doc != nil; doc = item() {
		want := []string{"db string", "collection string", "metadata string", "size 32-bit integer"}
		if _, err := bson.Raw(doc).LookupErr("type"); vouched || err == nil { // mongodump before 100.4 has none
			want = append(want, "type string")
		}
		c := fields(doc, want...)
		name := c["collection"].StringValue()
		if kind, _ := c["type"].StringValueOK(); kind == "timeseries" && !version.Parse(header["server_version"].StringValue()).RawData() {
			name = "system.buckets." + name
		}
		key := [2]string{c["db"].StringValue(), name}
		_, twice := at[key]
		insist(!twice, "a collection that comes twice")
		at[key] = len(at)
	}
	if vouched {
		prelude := stream[:len(stream)-len(rest)]
		unhashed := slices.Concat(prelude[:headerEnd-9], make([]byte, 8), prelude[headerEnd-1:]) // the hash is the last field
		number(header["check"], xxhash.Sum64(unhashed), "another hash of the prelude")
	}

	content = make([][][]byte, len(at))
	numbers := make([][]bson.RawValue, len(at))
	ended := make([]bool, len(at))
	for len(rest) > 0 {
		doc := item()
		n := fields(doc, "db string", "collection string", "EOF boolean", "CRC 64-bit integer")
		i, announced := at[[2]string{n["db"].StringValue(), n["collection"].StringValue()}]
		insist(announced && !ended[i], "a collection out of turn")
		if !n["EOF"].Boolean() {
			doc := item()
			switch {
			case vouched && doc == nil:
				numbers[i] = append(numbers[i], n["CRC"])
			case vouched:
				number(n["CRC"], 0, "a number before documents")
				insist(numbers[i] == nil, "documents after their number")
			}
			for ; doc != nil; doc = item() {
				content[i] = append(content[i], doc)
			}
			continue
		}
		insist(item() == nil, "more after the end")
		ended[i] = true
		var hash uint64
		for _, doc := range content[i] {
			hash += xxhash.Sum64(doc)
		}
		crc := crc64.Checksum(bytes.Join(content[i], nil), crc64.MakeTable(crc64.ECMA))
		number(n["CRC"], crc, "another checksum")
		if vouched {
			insist(len(numbers[i]) == 2, "not two numbers")
			number(numbers[i][0], uint64(len(content[i])), "more or fewer documents")
			number(numbers[i][1], hash, "other documents")
		}
	}
	insist(!slices.Contains(ended, false), "a collection without an end")
	return content, vouched, nil
}

package mongo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/stream"
)

// compressed dumps a fake as cmd does, and returns the archive and what it is compressed to.
func compressed(t *testing.T, f *fake, cfg Config) (plain, packed []byte) {
	t.Helper()
	var contents dump.Contents
	cfg.Server, cfg.Contents = f.server(), func(c dump.Contents) { contents = c }
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var both, out bytes.Buffer
	options := stream.CompressOptions{Tail: func(frame func(int64) (int64, int64)) []byte {
		contents.Parts.Locate(frame)
		return contents.Encode()
	}}
	_, err = stream.Compress(t.Context(), &out, options, func(ctx context.Context, w io.Writer) error {
		return src.Dump(ctx, io.MultiWriter(w, &both))
	})
	if err != nil {
		t.Fatal(err)
	}
	return both.Bytes(), out.Bytes()
}

// contentsOf reads what stands at the end of a compressed dump.
func contentsOf(t *testing.T, packed []byte) *dump.Contents {
	t.Helper()
	text, err := stream.ReadTail(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	contents, err := dump.ParseContents(text)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// contentsRead reads an archive to its end, which is where it says what it has.
func contentsRead(t *testing.T, stream []byte) (contents *dump.Contents) {
	t.Helper()
	for item, err := range Items(bytes.NewReader(stream)) {
		if err != nil {
			t.Fatal(err)
		}
		contents = item.Contents
	}
	return contents
}

// A collection is found from a compressed dump's end, and read from its frame on, with nothing
// before it.
func TestCollectionIsFound(t *testing.T) {
	f := startFake(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"a", "b", "c"} {
		c := f.add(t, "app", name, "collection", "")
		for i := range 200 {
			noise := make([]byte, 8<<10)
			for j := range noise {
				noise[j] = byte(r.Uint32())
			}
			doc, err := bson.Marshal(bson.D{{Key: "_id", Value: i}, {Key: "noise", Value: noise}})
			if err != nil {
				t.Fatal(err)
			}
			c.docs = append(c.docs, doc)
		}
	}
	f.add(t, "app", "empty", "collection", "")
	f.add(t, "app", "view", "view", `{"viewOn":"a","pipeline":[]}`)
	plain, packed := compressed(t, f, Config{Database: "app", Oplog: OplogOff})
	contents := contentsOf(t, packed)
	read := contentsRead(t, plain)
	read.Parts.Locate(func(at int64) (int64, int64) { return 0, at })
	unlocated := slices.Clone(contents.Parts)
	unlocated.Locate(func(at int64) (int64, int64) { return 0, at })
	if diff := cmp.Diff(read, &dump.Contents{Tables: contents.Tables, Parts: unlocated}); diff != "" {
		t.Errorf("who reads the archive finds others (-read +written):\n%s", diff)
	}
	var names []string
	for i, p := range contents.Parts {
		names = append(names, string(p.Kind)+" "+p.Name)
		if p.Name != "app.b" {
			continue
		}
		if p.Frame == 0 || i == 0 {
			t.Errorf("part %d, %+v, begins where the dump does", i, p)
		}
		z, err := zstd.NewReader(bytes.NewReader(packed[p.Frame:]))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if _, err := io.CopyN(io.Discard, z, p.Skip); err != nil {
			t.Fatal(err)
		}
		part := make([]byte, p.Bytes)
		if _, err := io.ReadFull(z, part); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(part, plain[p.First:p.End()]) {
			t.Error("what is read from its frame on is not the part")
		}
		var tally dump.Tally
		for rest := part[binary.LittleEndian.Uint32(part):]; binary.LittleEndian.Uint32(rest) != 0xffffffff; { // behind the block's beginning
			n := binary.LittleEndian.Uint32(rest)
			tally.Add(rest[:n])
			rest = rest[n:]
		}
		if tally != (dump.Tally{Rows: p.Rows, Hash: p.Hash}) || p.Rows != 200 {
			t.Errorf("it has %+v, and the manifest says %+v", tally, p)
		}
	}
	want := []string{"definitions ", "rows app.a", "rows app.b", "rows app.c", "rows app.empty", "rows app.view"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if last := contents.Parts[len(contents.Parts)-1]; last.End() != int64(len(plain)) {
		t.Errorf("the last part ends at %d of %d", last.End(), len(plain))
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if whole, err := io.ReadAll(z); err != nil || !bytes.Equal(whole, plain) {
		t.Errorf("zstd alone does not give the archive: %v", err)
	}
}

// The recorded oplog is what comes after all documents.
func TestOplogIsAPart(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	_, packed := compressed(t, f, Config{})
	contents := contentsOf(t, packed)
	if last := contents.Parts[len(contents.Parts)-1]; last.Kind != dump.AfterRows || last.Name != "" {
		t.Errorf("the last part is %+v", last)
	}
}

// Of many collections the manifest costs little.
func TestContentsOfManyCollections(t *testing.T) {
	f := startFake(t)
	const collections = 1000
	for i := range collections {
		f.add(t, "app", fmt.Sprintf("c%04d", i), "collection", "")
	}
	plain, packed := compressed(t, f, Config{Database: "app", Oplog: OplogOff})
	if n := len(contentsOf(t, packed).Encode()); n > 128*collections {
		t.Errorf("the manifest of %d collections has %d bytes, the archive %d", collections, n, len(plain))
	}
}

package archive

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
)

// readItems reads an archive as items: the documents by the table that they are of.
func readItems(r io.Reader) (*dump.Contents, map[string][][]byte, error) {
	content := map[string][][]byte{}
	for item, err := range Items(r) {
		switch {
		case err != nil:
			return nil, nil, err
		case item.Contents != nil:
			return item.Contents, content, nil
		case item.Head != nil, item.End != nil, item.Kind == dump.Definitions:
			continue
		}
		for document, err := range item.Rows() {
			if err != nil {
				return nil, nil, err
			}
			content[item.Table] = append(content[item.Table], bytes.Clone(document))
		}
	}
	return nil, nil, io.ErrUnexpectedEOF
}

// The items of an archive are what its reader reads, of either kind of archive, and only of a whole
// one there are contents.
func TestItems(t *testing.T) {
	own, _ := sample(t)
	for name, stream := range map[string][]byte{"own": own, "mongodump's": interleaved(t)} {
		p, want, err := readCollections(bytes.NewReader(stream))
		if err != nil {
			t.Fatal(err)
		}
		contents, got, err := readItems(bytes.NewReader(stream))
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range p.Collections {
			table := p.table(&p.Collections[i])
			if diff := cmp.Diff(want[i], got[table]); diff != "" {
				t.Errorf("%s: documents of %s (-want +got):\n%s", name, table, diff)
			}
		}
		for n := range stream {
			if contents, _, err := readItems(bytes.NewReader(stream[:n])); err == nil || contents != nil {
				t.Fatalf("%s: the first %d of %d bytes are whole", name, n, len(stream))
			}
		}
		if !p.vouched() { // its blocks alternate as somebody likes, and so would its parts
			if len(contents.Parts) > 0 {
				t.Errorf("%s: parts %+v", name, contents.Parts)
			}
			continue
		}
		if last := contents.Parts[len(contents.Parts)-1]; last.End() != int64(len(stream)) {
			t.Errorf("%s: the parts end at %d of %d", name, last.End(), len(stream))
		}
		for _, part := range contents.Parts[1:] { // each begins with a block
			begin := stream[part.First:]
			head, err := decodeNamespace(begin[:binary.LittleEndian.Uint32(begin)], false)
			if err != nil || part.Kind == dump.Rows && head.db+"."+head.name != part.Name {
				t.Errorf("%s: where %+v begins there is %+v, %v", name, part, head, err)
			}
		}
	}
}

// What is large comes alone, and what is small together, no more than some hundred kilobytes of it.
func TestBlocks(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, Prelude{Collections: []Collection{{DB: "app", Name: "c", Type: "collection"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(&w.prelude.Collections[0]); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, 10, 3 * blockSize, 10, blockSize - 60, 10} {
		if _, err := w.Write(doc(t, bson.D{{Key: "text", Value: strings.Repeat("x", size)}})); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var blocks []int // the documents in each
	for item, err := range Items(&b) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Kind != dump.Rows {
			continue
		}
		for block, err := range item.Blocks {
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for range item.Split(block) {
				n++
			}
			if blocks = append(blocks, n); n > 1 && len(block) > blockSize {
				t.Errorf("a block of %d documents has %d bytes", n, len(block))
			}
		}
	}
	if diff := cmp.Diff([]int{2, 1, 2, 1}, blocks); diff != "" {
		t.Errorf("documents in a block (-want +got):\n%s", diff)
	}
}

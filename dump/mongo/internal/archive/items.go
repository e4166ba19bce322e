package archive

import (
	"encoding/binary"
	"io"
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Items reads an archive of either kind as items: the metadata of each collection, as Definitions
// in the order of the prelude, then the documents in that of the archive, where a collection may
// come several times between others. The recorded oplog comes as AfterRows, whose Blocks are its
// entries. Of each the Table is that of the manifest, also of Definitions. The sequence holds no
// more than a block, and the prelude.
func Items(r io.Reader) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		a, err := NewReader(r)
		if err != nil {
			yield(dump.Item{}, err)
			return
		}
		for i := range a.prelude.Collections {
			if c := &a.prelude.Collections[i]; !c.IsOplog() && !yield(a.of(c, dump.Definitions), nil) {
				return
			}
		}
		for {
			block, err := a.Next()
			switch {
			case err == io.EOF:
				yield(dump.Item{Contents: a.Contents()}, nil)
				return
			case err != nil:
				yield(dump.Item{}, err)
				return
			case block.End != nil:
				continue
			}
			kind, _ := a.prelude.part(block.Collection)
			if !yield(a.of(block.Collection, kind), nil) {
				return
			}
		}
	}
}

// of is what there is of a collection: its metadata, or the documents of the block that has begun.
func (a *Reader) of(c *Collection, kind dump.Kind) dump.Item {
	i := dump.Item{Kind: kind, Database: c.DB, Table: a.prelude.table(c)}
	if kind == dump.Definitions {
		i.Text = c.Metadata
		return i
	}
	i.Split = documents
	i.Blocks = func(yield func([]byte, error) bool) {
		for {
			block, err := a.Documents()
			if err == io.EOF || !yield(block, err) || err != nil {
				return
			}
		}
	}
	return i
}

// documents parts a block into its documents.
func documents(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := block; len(rest) > 0; {
			n := binary.LittleEndian.Uint32(rest)
			if !yield(rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

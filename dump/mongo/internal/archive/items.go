package archive

import (
	"encoding/binary"
	"io"
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
)

// form is that of this program's archives, as a dump's head names it.
const form = "mongo"

// Items reads an archive of either kind as items: first all that the prelude says, the metadata of
// each collection as Definitions in its order, then the documents in that of the archive, where a
// collection may come several times between others, and its End behind the last of them. The
// recorded oplog is announced among the Definitions, by its Table alone, and comes as AfterRows,
// whose Blocks are its entries. Of each the Table is that of the manifest, also of Definitions, and
// with the Database it is of one collection alone. The sequence holds no more than a block, and the
// prelude.
func Items(r io.Reader) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		a, err := NewReader(r)
		if err != nil {
			yield(dump.Item{}, err)
			return
		}
		if !yield(dump.Item{Head: a.prelude.head()}, nil) {
			return
		}
		for i := range a.prelude.Collections {
			if !yield(a.definition(&a.prelude.Collections[i]), nil) {
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
			}
			if !yield(a.content(block), nil) {
				return
			}
		}
	}
}

// head is what the prelude says of the archive as a whole.
func (p *Prelude) head() *dump.Head {
	h := &dump.Head{Server: p.ServerVersion}
	if p.vouched() {
		h.Form = form
	}
	return h
}

// named is an item about a collection, with what each of those has.
func (a *Reader) named(c *Collection) dump.Item {
	i := dump.Item{Database: c.DB, Table: a.prelude.table(c)}
	if c.Type != "collection" {
		i.Type = c.Type
	}
	return i
}

// definition is what the prelude says of a collection.
func (a *Reader) definition(c *Collection) dump.Item {
	i := a.named(c)
	i.Kind, i.Text = dump.Definitions, c.Metadata
	return i
}

// content is the documents of the block that has begun, or the end of its collection.
func (a *Reader) content(b Block) dump.Item {
	if b.End != nil {
		return dump.Item{Database: b.DB, Table: b.End.Name, End: b.End}
	}
	i := a.named(b.Collection)
	i.Kind, _ = a.prelude.part(b.Collection)
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

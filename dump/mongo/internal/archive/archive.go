// Package archive reads and writes the stream of mongodump --archive, which mongorestore reads:
//
//	magic
//	header  collection…  terminator        the prelude: what will come
//	namespace  document…  terminator       a block: some of a collection's documents
//	end  terminator                        a collection's end, with their CRC-64
//	…
//
// All of it but the magic number and the terminators is BSON. Blocks of several collections may
// alternate where mongodump read them at once; what is written here is one collection after the
// other, in the order of the prelude.
//
// An archive of this program says more than mongodump's: the prelude vouches for itself by a hash,
// and before each collection's end stand the number of its documents and their hash (see
// dump.RowHash). So every byte of it is accounted for. That an archive is whole is known of either
// kind: each collection that the prelude announces has ended.
//
// All that is where mongorestore passes over it. A header may have fields that it does not know,
// but not what begins a block (since 100.14), nor may there be a block of a namespace that was not
// announced. But a block may be empty, and its checksum is nobody's: the two numbers are the
// checksums of two empty blocks.
//
// The format is described in mongo-tools' common/archive/spec.md. bsondump reads files of nothing
// but documents, and so no archive, mongodump's neither. This package knows no server and no
// compression.
package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A Prelude says what an archive holds, and stands before all of that.
type Prelude struct {
	ServerVersion string
	// Tool is the program that made the archive: this one, whose archives vouch for themselves, or
	// else the version of mongodump.
	Tool string
	// Concurrent is the number of collections whose blocks may alternate.
	Concurrent  int32
	Collections []Collection
}

// tool is this program as the maker of an archive. It has no version in it: the same data is to
// give the same bytes after an update.
const tool = "breaking-backups"

// vouched tells whether the archive holds hashes and counts to compare with.
func (p *Prelude) vouched() bool { return p.Tool == tool }

// A Collection is a collection that an archive announces.
type Collection struct {
	DB, Name string
	Type     string // as the server lists it: collection, view, timeseries; empty for what is none of them, as the oplog, and in old archives
	Metadata string // options and indexes in extended JSON; may be empty
}

// dataName is the name under which a collection's documents stand in the archive.
func (p *Prelude) dataName(c *Collection) string {
	return version.Parse(p.ServerVersion).DataName(c.Type, c.Name)
}

// table is the name of a collection in a manifest: where its documents stand.
func (p *Prelude) table(c *Collection) string { return c.DB + "." + p.dataName(c) }

// part is what a stretch of a collection's documents is there for, and its name: an oplog is none
// of a collection's.
func (p *Prelude) part(c *Collection) (kind dump.Kind, name string) {
	if c.IsOplog() {
		return dump.AfterRows, ""
	}
	return dump.Rows, p.table(c)
}

// IsOplog tells of the recorded oplog, which stands in an archive like a collection without a
// database.
func (c *Collection) IsOplog() bool { return c.DB == "" && c.Name == "oplog" }

// key tells a collection from all others of the archive: where its documents stand.
func (p *Prelude) key(c *Collection) [2]string { return [2]string{c.DB, p.dataName(c)} }

// Namespace is the collection's full name.
func (c *Collection) Namespace() string { return c.DB + "." + c.Name }

const (
	magic         = 0x8199e26d
	terminator    = 0xffffffff
	formatVersion = "0.1"

	minDocument = 5
	maxDocument = 32 << 20 // a document has 16 MiB, an entry of the oplog may have a little more
)

// bounds are what a prelude may have, written or read: its reader holds all of it, and believes
// nobody that it ends.
type bounds struct {
	document, all int // bytes
	collections   int
}

// preludeBounds: mongorestore reads no larger document than that, and no server bears so many
// collections, each of which takes more memory here than bytes there.
func preludeBounds() bounds {
	return bounds{document: 16 << 20, all: 128 << 20, collections: 500_000}
}

// encode returns the prelude as it stands in an archive of this program, the magic number included.
func (p *Prelude) encode(most bounds) ([]byte, error) {
	unchecked, err := p.encodeHeader(0)
	if err != nil {
		return nil, err
	}
	if n := len(p.Collections); n > most.collections {
		return nil, fmt.Errorf("%d collections, more than the %d that an archive can hold", n, most.collections)
	}
	out := append(binary.LittleEndian.AppendUint32(nil, magic), unchecked...)
	for _, c := range p.Collections {
		doc, err := c.encode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown.Whole(c.Namespace()), err)
		}
		if len(doc) > most.document {
			return nil, fmt.Errorf("%s: its metadata has %d bytes, more than the %d that an archive can hold of one", shown.Whole(c.Namespace()), len(doc), most.document)
		}
		if out = append(out, doc...); len(out) > most.all {
			return nil, fmt.Errorf("the metadata of all collections has more than the %d bytes that an archive can hold", most.all)
		}
	}
	out = binary.LittleEndian.AppendUint32(out, terminator)
	checked, err := p.encodeHeader(xxhash.Sum64(out))
	if err != nil {
		return nil, err
	}
	copy(out[4:], checked)
	return out, nil
}

// encodeHeader returns the header of an archive of this program, with the hash of the prelude in
// which that stands as zero.
func (p *Prelude) encodeHeader(check uint64) ([]byte, error) {
	return bson.Marshal(bson.D{
		{Key: "concurrent_collections", Value: p.Concurrent},
		{Key: "version", Value: formatVersion},
		{Key: "server_version", Value: p.ServerVersion},
		{Key: "tool_version", Value: p.Tool},
		{Key: "check", Value: int64(check)},
	})
}

func (c *Collection) encode() ([]byte, error) {
	return bson.Marshal(bson.D{
		{Key: "db", Value: c.DB},
		{Key: "collection", Value: c.Name},
		{Key: "metadata", Value: c.Metadata},
		{Key: "size", Value: int32(0)},
		{Key: "type", Value: c.Type},
	})
}

// decodeHeader reads an archive's header into p.
func (p *Prelude) decodeHeader(doc []byte) error {
	f, err := decodeFields(doc)
	if err != nil {
		return err
	}
	p.Concurrent, p.ServerVersion, p.Tool = f.int32("concurrent_collections"), f.string("server_version"), f.string("tool_version")
	version := f.string("version")
	if p.vouched() {
		f.int64("check")
	}
	if err := f.done(); err != nil {
		return err
	}
	if version != formatVersion {
		return fmt.Errorf("format version %q, want %q", version, formatVersion)
	}
	return nil
}

func decodeCollection(doc []byte) (Collection, error) {
	f, err := decodeFields(doc)
	if err != nil {
		return Collection{}, err
	}
	c := Collection{DB: f.string("db"), Name: f.string("collection"), Metadata: f.string("metadata")}
	if f.has("type") { // mongodump before 100.4 says none
		c.Type = f.string("type")
	}
	f.int32("size")
	return c, f.done()
}

// A namespace begins a block, or ends a collection.
type namespace struct {
	db, name string // of the data
	end      bool
	// number is the CRC-64 of all documents at a collection's end, zero before documents, and in an
	// empty block what is vouched for.
	number uint64
}

func (n *namespace) encode() ([]byte, error) {
	return bson.Marshal(bson.D{
		{Key: "db", Value: n.db},
		{Key: "collection", Value: n.name},
		{Key: "EOF", Value: n.end},
		{Key: "CRC", Value: int64(n.number)},
	})
}

// decodeNamespace reads what begins a block. What is vouched for has to be as it is written here,
// to the byte.
func decodeNamespace(doc []byte, vouched bool) (namespace, error) {
	f, err := decodeFields(doc)
	if err != nil {
		return namespace{}, err
	}
	n := namespace{db: f.string("db"), name: f.string("collection"), end: f.bool("EOF"), number: uint64(f.int64("CRC"))}
	if err := f.done(); err != nil || !vouched {
		return n, err
	}
	again, err := n.encode()
	if err == nil && !bytes.Equal(again, doc) {
		err = fmt.Errorf("a block's beginning is not as it was written")
	}
	return n, err
}

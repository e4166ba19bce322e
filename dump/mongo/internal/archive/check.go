package archive

import (
	"bytes"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// A check is the hash of a prelude of this program that is being read.
type check struct {
	prelude *Prelude
	hash    *xxhash.Digest
	err     error
}

// newCheck begins with what stands before the collections.
func newCheck(p *Prelude) *check {
	c := &check{prelude: p, hash: xxhash.New()}
	var unchecked []byte
	unchecked, c.err = p.encodeHeader(0)
	c.hash.Write(append(binary.LittleEndian.AppendUint32(nil, magic), unchecked...))
	return c
}

// takes takes note of a collection, and tells whether it is as it is written here, to the byte.
func (c *check) takes(coll *Collection, doc []byte) bool {
	c.hash.Write(doc)
	again, err := coll.encode()
	return err == nil && bytes.Equal(again, doc)
}

// vouchesFor tells whether the header has the hash of all that was read.
func (c *check) vouchesFor(header []byte) bool {
	c.hash.Write(binary.LittleEndian.AppendUint32(nil, terminator))
	again, err := c.prelude.encodeHeader(c.hash.Sum64())
	return c.err == nil && err == nil && bytes.Equal(again, header)
}

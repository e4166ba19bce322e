package mongo

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// metadata is what an archive says of a collection, in canonical extended JSON.
// The values pass as they are, the order of their fields included.
//
// Extended JSON does not hold every BSON: a document whose first field is called
// $date or $oid reads as a date or an id, whatever it was, and text that is no UTF-8
// as U+FFFD. mongodump refuses such a collection, and an archive that has one is
// refused by mongorestore as a whole. Here Exact holds options and indexes as BSON
// then, and the fields that mongorestore reads only what it reads as it was.
type metadata struct {
	Options        bson.Raw   `bson:"options,omitempty"`
	Indexes        []bson.Raw `bson:"indexes"`
	UUID           string     `bson:"uuid,omitempty"`
	CollectionName string     `bson:"collectionName"`
	Type           string     `bson:"type,omitempty"`
	Sharding       bson.Raw   `bson:"sharding,omitempty"` // key and unique; mongorestore passes over it
	Exact          string     `bson:"exact,omitempty"`    // BSON of options, indexes and sharding, in base64; empty: they are above
}

// describe writes the collection's metadata. It returns the names of those of the
// options and indexes that Exact alone holds.
func (c *collection) describe(withUUID bool) (inexact []string, err error) {
	m := metadata{Options: c.options, Indexes: c.indexes, CollectionName: c.Name, Type: c.Type, Sharding: c.sharding}
	if m.Indexes == nil {
		m.Indexes = []bson.Raw{} // null is something else
	}
	if withUUID {
		m.UUID = c.uuid
	}
	text, same, err := m.encode()
	if err == nil && !same {
		if inexact, err = m.keepExact(); err == nil {
			text, same, err = m.encode()
		}
		if err == nil && !same {
			err = errors.New("its options and indexes do not come back from extended JSON as they are")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", shown.Name(c.Namespace()), err)
	}
	c.Metadata = text
	return inexact, nil
}

// encode returns the metadata as text, and whether mongorestore reads that as what
// it was. An error is one of BSON that is none.
func (m metadata) encode() (text string, same bool, err error) {
	encoded, err := bson.MarshalExtJSON(m, true, false)
	if err != nil {
		return "", false, err
	}
	var again metadata
	same = bson.UnmarshalExtJSON(encoded, true, &again) == nil &&
		bytes.Equal(again.Options, m.Options) && bytes.Equal(again.Sharding, m.Sharding) && slices.EqualFunc(again.Indexes, m.Indexes, equalDocuments)
	return string(encoded), same, nil
}

func equalDocuments(a, b bson.Raw) bool { return bytes.Equal(a, b) }

// keepExact moves to Exact all that there is, and leaves where it was what extended
// JSON holds. Of a view it leaves nothing: without its pipeline it would show what
// it is there to hide.
func (m *metadata) keepExact() (inexact []string, err error) {
	whole := bson.D{{Key: "options", Value: m.Options}, {Key: "indexes", Value: m.Indexes}}
	if len(m.Sharding) > 0 {
		whole = append(whole, bson.E{Key: "sharding", Value: m.Sharding})
		m.Sharding = nil
	}
	exact, err := bson.Marshal(whole)
	if err != nil {
		return nil, err
	}
	elements, err := m.Options.Elements()
	if err != nil && len(m.Options) > 0 {
		return nil, err
	}
	var kept [][]byte
	for _, e := range elements {
		one := bsoncore.BuildDocumentFromElements(nil, e)
		if _, same, err := (metadata{Options: bson.Raw(one)}).encode(); err == nil && same {
			kept = append(kept, e)
		} else {
			inexact = append(inexact, "option "+e.Key())
		}
	}
	if len(inexact) > 0 && has(m.Options, "viewOn") {
		kept = nil
	}
	m.Options = bson.Raw(bsoncore.BuildDocumentFromElements(nil, kept...))
	indexes := []bson.Raw{}
	for _, index := range m.Indexes {
		if _, same, err := (metadata{Indexes: []bson.Raw{index}}).encode(); err == nil && same {
			indexes = append(indexes, index)
		} else {
			inexact = append(inexact, "index "+indexName(index))
		}
	}
	m.Indexes = indexes
	m.Exact = base64.StdEncoding.EncodeToString(exact)
	return inexact, nil
}

// warnOfInexact tells what of a collection comes back by this program alone.
func (s *Source) warnOfInexact(c *collection, names []string) {
	if len(names) > 0 {
		s.cfg.Warn(fmt.Sprintf("%s: extended JSON, which is what mongorestore reads, does not hold all that it has: %s; restore brings it back as it is, mongorestore leaves it out", shown.Name(c.Namespace()), shown.Names(names)))
	}
}

// parseMetadata reads what describe or mongodump wrote.
func parseMetadata(text string) (metadata, error) {
	var m metadata
	if text == "" {
		return m, nil
	}
	// The driver's reader calls itself for each bracket, and a full stack ends the program.
	const around = 8 // brackets of extended JSON around the innermost value, and of the archive around all
	if nestedDeeper(text, mostDepth+around) {
		return m, fmt.Errorf("it is nested deeper than %d", mostDepth)
	}
	if err := bson.UnmarshalExtJSON([]byte(text), false, &m); err != nil || m.Exact == "" {
		return m, err
	}
	err := m.takeExact()
	return m, err
}

// nestedDeeper tells whether a text of JSON has more brackets within brackets than
// that.
func nestedDeeper(text string, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// size is what the metadata takes once it is read.
func (m *metadata) size() int {
	size := len(m.Options)
	for _, index := range m.Indexes {
		size += len(index)
	}
	return size
}

// takeExact puts what Exact holds where it belongs.
func (m *metadata) takeExact() error {
	raw, err := base64.StdEncoding.DecodeString(m.Exact)
	if err != nil {
		return fmt.Errorf("exact: %w", err)
	}
	exact := bson.Raw(raw)
	if err := exact.Validate(); err != nil {
		return fmt.Errorf("exact: %w", err)
	}
	options, hasOptions := exact.Lookup("options").DocumentOK()
	indexes, hasIndexes := exact.Lookup("indexes").ArrayOK()
	if !hasOptions || !hasIndexes {
		return errors.New("exact: want options and indexes")
	}
	values, err := bson.RawArray(indexes).Values()
	if err != nil {
		return fmt.Errorf("exact: %w", err)
	}
	m.Options, m.Indexes, m.Exact = options, nil, ""
	m.Sharding, _ = exact.Lookup("sharding").DocumentOK()
	for _, v := range values {
		index, ok := v.DocumentOK()
		if !ok {
			return errors.New("exact: an index is no document")
		}
		m.Indexes = append(m.Indexes, index)
	}
	return nil
}

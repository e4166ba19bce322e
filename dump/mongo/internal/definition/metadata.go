// Package definition is about what a collection is beside its documents: its options, its indexes
// and by what it is sharded. It says how they stand in an archive, which of them a statement may
// set and which are a server's own, and what of them today's servers take. It reads them from no
// server and sends them to none: see catalog and load.
package definition

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// Metadata is what an archive says of a collection, in canonical extended JSON. The values pass as
// they are, the order of their fields included.
//
// Extended JSON does not hold every BSON: a document whose first field is called $date or $oid
// reads as a date or an id, whatever it was, and text that is no UTF-8 as U+FFFD. mongodump refuses
// such a collection, and an archive that has one is refused by mongorestore as a whole. Here Exact
// holds options and indexes as BSON then, and the fields that mongorestore reads only what it reads
// as it was.
type Metadata struct {
	Options        bson.Raw   `bson:"options,omitempty"`
	Indexes        []bson.Raw `bson:"indexes"`
	UUID           string     `bson:"uuid,omitempty"`
	CollectionName string     `bson:"collectionName"`
	Type           string     `bson:"type,omitempty"`
	Sharding       bson.Raw   `bson:"sharding,omitempty"` // key and unique; mongorestore passes over it
	Exact          string     `bson:"exact,omitempty"`    // BSON of options, indexes and sharding, in base64; empty: they are above
}

// Text returns the metadata as an archive has it, and the names of those of the options and indexes
// that Exact alone holds.
func (m Metadata) Text() (text string, inexact []string, err error) {
	if m.Indexes == nil {
		m.Indexes = []bson.Raw{} // null is something else
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
		return "", nil, err
	}
	return text, inexact, nil
}

// encode returns the metadata as text, and whether mongorestore reads that as what it was. An error
// is one of BSON that is none.
func (m Metadata) encode() (text string, same bool, err error) {
	encoded, err := bson.MarshalExtJSON(m, true, false)
	if err != nil {
		return "", false, err
	}
	var again Metadata
	same = bson.UnmarshalExtJSON(encoded, true, &again) == nil &&
		bytes.Equal(again.Options, m.Options) && bytes.Equal(again.Sharding, m.Sharding) && slices.EqualFunc(again.Indexes, m.Indexes, document.Equal)
	return string(encoded), same, nil
}

// keepExact moves to Exact all that there is, and leaves where it was what extended JSON holds. Of
// a view it leaves nothing: without its pipeline it would show what it is there to hide.
func (m *Metadata) keepExact() (inexact []string, err error) {
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
		if _, same, err := (Metadata{Options: bson.Raw(one)}).encode(); err == nil && same {
			kept = append(kept, e)
		} else {
			inexact = append(inexact, "option "+e.Key())
		}
	}
	if len(inexact) > 0 && document.Has(m.Options, "viewOn") {
		kept = nil
	}
	m.Options = bson.Raw(bsoncore.BuildDocumentFromElements(nil, kept...))
	indexes := []bson.Raw{}
	for _, index := range m.Indexes {
		if _, same, err := (Metadata{Indexes: []bson.Raw{index}}).encode(); err == nil && same {
			indexes = append(indexes, index)
		} else {
			inexact = append(inexact, "index "+IndexName(index))
		}
	}
	m.Indexes = indexes
	m.Exact = base64.StdEncoding.EncodeToString(exact)
	return inexact, nil
}

// Parse reads what text or mongodump wrote.
func Parse(text string) (Metadata, error) {
	var m Metadata
	if text == "" {
		return m, nil
	}
	// The driver's reader calls itself for each bracket, and a full stack ends the program.
	const around = 8 // brackets of extended JSON around the innermost value, and of the archive around all
	if nestedDeeper(text, document.MostDepth+around) {
		return m, fmt.Errorf("it is nested deeper than %d", document.MostDepth)
	}
	if err := bson.UnmarshalExtJSON([]byte(text), false, &m); err != nil || m.Exact == "" {
		return m, err
	}
	err := m.takeExact()
	return m, err
}

// nestedDeeper tells whether a text of JSON has more brackets within brackets than that.
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

// Size is what the metadata takes once it is read.
func (m *Metadata) Size() int {
	size := len(m.Options)
	for _, index := range m.Indexes {
		size += len(index)
	}
	return size
}

// takeExact puts what Exact holds where it belongs.
func (m *Metadata) takeExact() error {
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

// CreateOptions is what a server is told of a collection that it is to make, without some of its
// options.
func (m *Metadata) CreateOptions(without []string) (bson.D, error) {
	elements, err := m.Options.Elements()
	if err != nil && len(m.Options) > 0 {
		return nil, err
	}
	var d bson.D
	for _, e := range elements {
		if !slices.Contains(ownCollectionOptions, e.Key()) && !slices.Contains(without, e.Key()) {
			d = append(d, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return d, nil
}

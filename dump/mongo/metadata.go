package mongo

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// metadata is what an archive says of a collection, in canonical extended JSON.
// The values pass as they are, the order of their fields included.
type metadata struct {
	Options        bson.Raw   `bson:"options,omitempty"`
	Indexes        []bson.Raw `bson:"indexes"`
	UUID           string     `bson:"uuid,omitempty"`
	CollectionName string     `bson:"collectionName"`
	Type           string     `bson:"type,omitempty"`
}

// describe writes the collection's metadata.
func (c *collection) describe(withUUID bool) error {
	m := metadata{Options: c.options, Indexes: c.indexes, CollectionName: c.Name, Type: c.Type}
	if m.Indexes == nil {
		m.Indexes = []bson.Raw{} // null is something else
	}
	if withUUID {
		m.UUID = c.uuid
	}
	text, err := bson.MarshalExtJSON(m, true, false)
	if err != nil {
		return fmt.Errorf("describe %s: %w", shown(c.Namespace()), err)
	}
	c.Metadata = string(text)
	return nil
}

func parseMetadata(text string) (metadata, error) {
	var m metadata
	if text == "" {
		return m, nil
	}
	err := bson.UnmarshalExtJSON([]byte(text), false, &m)
	return m, err
}

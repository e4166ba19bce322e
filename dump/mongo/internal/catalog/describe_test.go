package catalog

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
)

func TestMetadata(t *testing.T) {
	var options, index bson.Raw
	for to, text := range map[*bson.Raw]string{
		&options: `{"capped":true,"size":{"$numberLong":"4096"},"validator":{"b":1,"a":{"$gt":{"$numberDouble":"1.0"}}},"collation":{"locale":"fr"}}`,
		&index:   `{"v":2,"key":{"z":-1,"a":"text"},"name":"<&>","weights":{"b":1,"a":{"$numberInt":"2"}}}`,
	} {
		if err := bson.UnmarshalExtJSON([]byte(text), false, to); err != nil {
			t.Fatal(err)
		}
	}
	c := &Collection{Collection: archive.Collection{DB: "app", Name: "c", Type: "collection"}, Options: options, indexes: []bson.Raw{index}, uuid: "00ff"}
	for withUUID, want := range map[bool]string{false: "", true: "00ff"} {
		if inexact, err := c.describe(withUUID); err != nil || len(inexact) > 0 {
			t.Fatal(err, inexact)
		}
		m, err := definition.Parse(c.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Options) != string(options) || len(m.Indexes) != 1 || string(m.Indexes[0]) != string(index) || m.UUID != want || m.CollectionName != "c" {
			t.Errorf("%s\nis read as %+v", c.Metadata, m)
		}
	}
	if strings.Contains(c.Metadata, `\u003c`) {
		t.Errorf("%s: escaped as if for HTML", c.Metadata)
	}
}

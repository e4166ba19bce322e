package mongo

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// Documents without an _id are the same after each restore, and that they have got one is said.
func TestDocumentsWithoutID(t *testing.T) {
	stream := archiveOf(
		t, []archive.Collection{{DB: "app", Name: "log", Type: "collection"}, {DB: "app", Name: "c", Type: "collection"}},
		[]string{`{"msg":"a"}`, `{"msg":"a"}`, `{"_id":7}`, `{"msg":"b","x":{"_id":1}}`},
		[]string{`{"_id":1}`},
	)
	var restored [2][]bson.Raw
	for i := range restored {
		db := newTestDB(t)
		var warnings []string
		l, err := NewLoader(LoadConfig{Server: db.server(t), Database: db.name, Warn: func(text string) { warnings = append(warnings, text) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		if len(warnings) != 1 || !strings.HasPrefix(warnings[0], db.name+".log: 3 documents have no _id") {
			t.Errorf("warnings %q", warnings)
		}
		cur, err := db.coll("log").Find(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		if err := cur.All(t.Context(), &restored[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(restored[0]) != 4 || !slices.EqualFunc(restored[0], restored[1], document.Equal) {
		t.Errorf("restored as %v, and then as %v", restored[0], restored[1])
	}
}

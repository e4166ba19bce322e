package mongo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

// indexed is an archive of collections of so many documents, each with an index of its own.
func indexed(t *testing.T, documents ...int) []byte {
	t.Helper()
	var announced []archive.Collection
	var docs [][]string
	for i, n := range documents {
		name := fmt.Sprintf("c%d", i)
		announced = append(announced, archive.Collection{DB: "app", Name: name, Type: "collection", Metadata: fmt.Sprintf(`{"options":{},"indexes":[{"v":2,"key":{"%s":1},"name":"%[1]s_1"}]}`, name)})
		docs = append(docs, numbered(n))
	}
	return archiveOf(t, announced, docs...)
}

// The indexes of as many collections are made at once as there are sessions, and none is missing.
func TestIndexesAtOnce(t *testing.T) {
	to := startFake(t)
	most := meet(t, to, "createIndexes", 3)
	if _, err := loadFake(t, to, LoadConfig{Jobs: 3}, indexed(t, 1, 2, 0, 3, 4)); err != nil {
		t.Fatal(err)
	}
	if *most != 3 {
		t.Errorf("%d at once, want 3", *most)
	}
	for _, c := range to.collections {
		if len(c.indexes) != 2 {
			t.Errorf("%s has the indexes %v", c.name, c.indexes)
		}
	}
}

// The largest collection's begin first.
func TestLargestIndexesFirst(t *testing.T) {
	to := startFake(t)
	if _, err := loadFake(t, to, LoadConfig{Jobs: 1}, indexed(t, 1, 30, 0, 2)); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, command := range to.sent("createIndexes") {
		order = append(order, jsonRaw(t, strings.TrimPrefix(command, "app: ")).Lookup("createIndexes").StringValue())
	}
	equalStrings(t, "order", order, []string{"c1", "c3", "c0", "c2"})
}

// Of indexes that are made at once one that is refused costs none of the others; a server that does
// not answer ends them all.
func TestRefusedOfIndexesAtOnce(t *testing.T) {
	stream := indexed(t, 1, 2, 3, 4)
	to := startFake(t)
	to.handle("createIndexes", func(_ string, command bson.Raw) any {
		if name := command.Lookup("createIndexes").StringValue(); name == "c1" || name == "c2" {
			return failure(67, "not this one")
		}
		return nil
	})
	_, err := loadFake(t, to, LoadConfig{Jobs: 4}, stream)
	const want = "restore: the server refuses 2 indexes: app.c1: create index c1_1: not this one\napp.c2: create index c2_1: not this one; " + dump.AllElse
	if err == nil || err.Error() != want || len(to.collection("app", "c3").indexes) != 2 {
		t.Errorf("%v, want %s", err, want)
	}
	to = startFake(t)
	to.handle("createIndexes", func(string, bson.Raw) any { return errHangUp })
	if _, err := loadFake(t, to, LoadConfig{Jobs: 4}, stream); err == nil || !strings.HasSuffix(err.Error(), dump.HoldsPart) {
		t.Error(err)
	}
}

// A server makes the indexes of several collections at once as it makes them one by one.
func TestIndexesAtOnceOfAServer(t *testing.T) {
	for _, jobs := range []int{1, 4} {
		db := newTestDB(t)
		l, err := NewLoader(LoadConfig{Server: db.server(t), Database: db.name, Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(indexed(t, 500, 20, 0, 3, 1000, 7))); err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			name := fmt.Sprintf("c%d", i)
			specs, err := db.coll(name).Indexes().ListSpecifications(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, spec := range specs {
				names = append(names, spec.Name)
			}
			slices.Sort(names)
			equalStrings(t, name, names, []string{"_id_", name + "_1"})
		}
	}
}

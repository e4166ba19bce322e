package mongo

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// What goes into a replica set has a number, by which a server knows an insert again that is
// repeated after an election. A server alone gets the documents as they are, and those that have no
// room in a command of this program's by the driver's. All of them are there, byte for byte.
func TestInserts(t *testing.T) {
	large := `{"_id":"large","text":"` + strings.Repeat("a", server.MostInserted) + `"}`
	docs := append(numbered(3), `{"_id":{"$oid":"64b000000000000000000001"},"":{"a.b":1,"$c":[]},"n":{"$numberDecimal":"1.50"}}`, large)
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c \"é\".d", Type: "collection"}}, docs)
	for _, set := range []string{"", "rs0"} {
		to := startFake(t)
		to.set = set
		numbers := 0
		to.handle("insert", func(_ string, command bson.Raw) any {
			if document.Has(command, "txnNumber") {
				numbers++
			}
			return nil
		})
		if _, err := loadFake(t, to, LoadConfig{Jobs: 1}, stream); err != nil {
			t.Fatal(err)
		}
		inserts := len(to.sent("insert"))
		if want := map[string]int{"rs0": inserts}[set]; numbers != want || inserts != 2 {
			t.Errorf("set %q: %d of %d inserts have a number, want %d", set, numbers, inserts, want)
		}
		var got, want []string
		for i, doc := range to.collection("app", "c \"é\".d").docs {
			got, want = append(got, string(doc)), append(want, string(jsonRaw(t, docs[i])))
		}
		equalStrings(t, "documents", got, want)
	}
}

// A server that has inserted less than it was given, and refuses nothing, is not believed.
func TestServerInsertsTooFew(t *testing.T) {
	to := startFake(t)
	to.handle("insert", func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 2}} })
	_, err := loadFake(t, to, LoadConfig{}, archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(3)))
	if err == nil || !strings.HasPrefix(err.Error(), "restore: app.c: insert: of 3 documents the server says that it has inserted 2; ") {
		t.Error(err)
	}
}

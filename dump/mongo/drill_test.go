package mongo

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The copy of a drill is read back and held against the dump: nothing of it expires meanwhile,
// neither by an index nor by the collection.
func TestDrillKeepsDocuments(t *testing.T) {
	from := startFake(t)
	from.add(t, "app", "clustered", "collection", `{"clusteredIndex":{"v":2,"key":{"_id":1},"name":"_id_","unique":true},"expireAfterSeconds":{"$numberLong":"100"}}`, `{"_id":1}`)
	from.add(t, "app", "sessions", "collection", `{}`, `{"_id":1,"at":{"$date":"2020-01-01T00:00:00Z"}}`)
	from.collection("app", "sessions").indexes = bson.A{idIndex, jsonRaw(t, `{"v":2,"key":{"at":1},"name":"at_1","expireAfterSeconds":60}`)}
	stream, _, err := dumpFake(t, from, Config{Database: "app"})
	if err != nil {
		t.Fatal(err)
	}
	for _, drill := range []bool{true, false} {
		to := startFake(t)
		if _, err := loadFake(t, to, LoadConfig{Database: "copy", Drill: drill}, stream); err != nil {
			t.Fatal(err)
		}
		made := strings.Join(append(to.sent("create"), to.sent("createIndexes")...), "\n")
		if !strings.Contains(made, "at_1") || !strings.Contains(made, "clusteredIndex") {
			t.Errorf("drill %t: made is %s", drill, made)
		}
		if got := strings.Count(made, "expireAfterSeconds"); drill && got != 0 || !drill && got != 2 {
			t.Errorf("drill %t: what expires is in %d of %s", drill, got, made)
		}
	}
}

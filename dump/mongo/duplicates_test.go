package mongo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// archiveOf is an archive of collections with documents in extended JSON.
func archiveOf(t *testing.T, collections []archive.Collection, docs ...[]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := archive.NewWriter(&b, archive.Prelude{ServerVersion: "7.0.5", Concurrent: 1, Collections: collections})
	if err != nil {
		t.Fatal(err)
	}
	for i := range collections {
		if err := w.Begin(&collections[i]); err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs[i] {
			if _, err := w.Write(jsonRaw(t, doc)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Of documents of one _id equal ones are passed over, others are named, and all else is restored.
func TestDocumentsOfOneID(t *testing.T) {
	db := newTestDB(t)
	stream := archiveOf(
		t, []archive.Collection{
			{DB: "app", Name: "equal", Type: "collection"},
			{DB: "app", Name: "others", Type: "collection", Metadata: `{"options":{},"indexes":[{"v":2,"key":{"a":1},"name":"a_1"}]}`},
			{DB: "app", Name: "rest", Type: "collection"},
		},
		[]string{`{"_id":1,"a":1}`, `{"_id":{"x":1},"a":2}`, `{"_id":{"x":1},"a":2}`, `{"a":1,"_id":1}`, `{"_id":2}`},
		[]string{`{"_id":1,"a":1}`, `{"_id":1,"a":2}`, `{"_id":2,"a":3}`, `{"_id":1,"a":{"$numberLong":"1"}}`, `{"_id":1,"a":1}`},
		[]string{`{"_id":1}`},
	)
	l, err := NewLoader(LoadConfig{Server: db.server(t), Database: db.name, Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Load(t.Context(), bytes.NewReader(stream))
	if want := `restore: the dump has several documents of one _id, of which the first is there: {"$numberInt":"1"} of ` + db.name + `.others, {"$numberInt":"1"} of ` + db.name + ".others"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want: %s", err, want)
	}
	for name, want := range map[string]int64{"equal": 3, "others": 2, "rest": 1} {
		if n, err := db.coll(name).CountDocuments(t.Context(), bson.D{}); err != nil || n != want {
			t.Errorf("%s holds %d documents, want %d; %v", name, n, want, err)
		}
	}
	indexes, err := db.coll("others").Indexes().ListSpecifications(t.Context())
	if err != nil || len(indexes) != 2 {
		t.Errorf("indexes: %v, %v", indexes, err)
	}
	if err := l.Verify(bytes.NewReader(stream)); err != nil {
		t.Error(err)
	}
}

// In the order of _id a document that comes twice leaves once; two of one _id that are not equal
// leave both, as on a sharded collection that may be meant.
func TestDocumentThatIsReadTwice(t *testing.T) {
	f := startFake(t)
	f.msg, f.batch = "isdbgrid", 2
	f.add(t, "app", "c", "collection", "", `{"_id":1,"a":1}`, `{"_id":1,"a":1}`, `{"_id":1,"a":2}`, `{"_id":2}`, `{"_id":2}`, `{"_id":2}`, `{"_id":3}`, `{"none":1}`, `{"none":1}`)
	for order, want := range map[Order][]string{
		OrderID:      {`{"_id":1,"a":1}`, `{"_id":1,"a":2}`, `{"_id":2}`, `{"_id":3}`, `{"none":1}`, `{"none":1}`},
		OrderNatural: {`{"_id":1,"a":1}`, `{"_id":1,"a":1}`, `{"_id":1,"a":2}`, `{"_id":2}`, `{"_id":2}`, `{"_id":2}`, `{"_id":3}`, `{"none":1}`, `{"none":1}`},
	} {
		f.handle("aggregate", func(db string, _ bson.Raw) any { // a mongos leaves out what is on two shards
			return f.cursor(db, "c", []bson.Raw{count(6)})
		})
		stream, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff, Order: order})
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range want {
			want[i] = string(jsonRaw(t, doc))
		}
		var got []string
		a, err := archive.NewReader(bytes.NewReader(stream))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Next(); err != nil {
			t.Fatal(err)
		}
		for doc, err := a.Document(); err == nil; doc, err = a.Document() {
			got = append(got, string(doc))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order %s (-want +got):\n%s", order, diff)
		}
	}
}

// However many documents come twice, each is sent twice at most, and they are looked for together.
func TestManyDocumentsThatComeTwice(t *testing.T) {
	const n = 500
	var docs []string
	for i := range n {
		docs = append(docs, fmt.Sprintf(`{"_id":%d,"a":%[1]d}`, i))
	}
	to := startFake(t)
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, append(docs, docs...))
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, insert := range to.sent("insert") {
		sent += strings.Count(insert, `"_id"`)
	}
	if there := len(to.collection("app", "c").docs); there != n || sent > 3*n || len(to.sent("find")) > 2 {
		t.Errorf("there are %d documents, want %d; sent were %d documents and %d finds", there, n, sent, len(to.sent("find")))
	}
}

// Who may write and not look, as with the role restore, loses nothing but what cannot be told
// apart; and what another unique index refuses is no second of an _id. Both are named in one error
// with what else is refused.
func TestLeftOutDocuments(t *testing.T) {
	to := startFake(t)
	to.handle("find", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not authorized on app") })
	to.handle("create", func(db string, command bson.Raw) any {
		name := command.Lookup("create").StringValue()
		if document.Has(command, "viewOn") {
			return failure(40324, "Unrecognized pipeline stage name")
		}
		answer := to.mongod(db, "create", name, command)
		if c := to.collection(db, name); name == "byKey" {
			c.indexes = append(c.indexes, jsonRaw(t, `{"v":2,"key":{"k":1},"name":"k_1","unique":true}`))
		}
		return answer
	})
	stream := archiveOf(
		t, []archive.Collection{
			{DB: "app", Name: "byID", Type: "collection"},
			{DB: "app", Name: "byKey", Type: "collection"},
			{DB: "app", Name: "v", Type: "view", Metadata: `{"options":{"viewOn":"byID","pipeline":[]},"indexes":[]}`},
			{DB: "app", Name: "later", Type: "collection", Metadata: `{"options":{},"indexes":[{"v":2,"key":{"a":1},"name":"a_1"}]}`},
		},
		[]string{`{"_id":1}`, `{"_id":1}`, `{"_id":2}`},
		[]string{`{"_id":1,"k":1}`, `{"_id":2,"k":1}`, `{"_id":3,"k":2}`},
		nil,
		[]string{`{"_id":1}`},
	)
	_, err := loadFake(t, to, LoadConfig{}, stream)
	want := strings.Join([]string{
		"restore: the server refuses 1 view: app.v: create: Unrecognized pipeline stage name",
		`documents whose _id is there already are left out, and are not compared with what is there, as this user lacks the right find: {"$numberInt":"1"} of app.byID`,
		`documents are left out by the unique index {"k": {"$numberInt":"1"}}: {"$numberInt":"2"} of app.byKey; ` + dump.AllElse,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if len(to.collection("app", "byID").docs) != 2 || len(to.collection("app", "byKey").docs) != 2 || len(to.collection("app", "later").indexes) != 2 {
		t.Error("not all else is there")
	}
}

// A write concern that fails is told of although documents are passed over.
func TestWriteConcernBesideASecondID(t *testing.T) {
	to := startFake(t)
	to.handle("insert", func(_ string, command bson.Raw) any {
		answer := to.insert(to.collection("app", "c"), command).(bson.D)
		return append(answer, bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}})
	})
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, []string{`{"_id":1}`, `{"_id":1}`})
	if _, err := loadFake(t, to, LoadConfig{}, stream); err == nil || !strings.Contains(err.Error(), "waiting for replication timed out") {
		t.Error(err)
	}
}

// Of a user who comes twice the oplog says who it is.
func TestUserWhoComesTwice(t *testing.T) {
	users := []string{`{"_id":"app.joe","user":"joe","db":"app"}`, `{"_id":"app.joe","user":"joe","db":"app"}`}
	to := startFake(t)
	stream := archiveOf(t, []archive.Collection{{DB: "admin", Name: "system.users", Type: "collection"}, {Name: "oplog"}}, users, nil)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil || len(to.sent("_mergeAuthzCollections")) != 1 {
		t.Error(err, to.sent("_mergeAuthzCollections"))
	}
}

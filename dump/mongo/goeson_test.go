package mongo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// refuse has a fake refuse the documents that have a field "bad", by a code each, as a validator
// does.
func refuse(to *fake, code int) {
	to.handle("insert", func(db string, command bson.Raw) any {
		name, _ := command.Lookup("insert").StringValueOK()
		ordered, _ := command.Lookup("ordered").BooleanOK()
		docs, _ := command.Lookup("documents").ArrayOK()
		all, _ := bson.RawArray(docs).Values()
		refused := bson.A{}
		for i, v := range all {
			if document.Has(v.Document(), "bad") {
				refused = append(refused, bson.D{{Key: "index", Value: i}, {Key: "code", Value: code}, {Key: "errmsg", Value: "Document failed validation: " + v.Document().String()}})
				if ordered {
					break
				}
				continue
			}
			c := to.collection(db, name)
			c.docs = append(c.docs, v.Document())
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: len(all) - len(refused)}, {Key: "writeErrors", Value: refused}}
	})
}

// goOn loads, and goes on behind what is refused.
func goOn(t *testing.T, to *fake, cfg LoadConfig, stream []byte) ([]dump.Refusal, error) {
	t.Helper()
	var told []dump.Refusal
	cfg.Refused = func(r dump.Refusal) { told = append(told, r) }
	_, err := loadFake(t, to, cfg, stream)
	return told, err
}

// isIncomplete holds a load's error to what is said of one that has gone on.
func isIncomplete(t *testing.T, err error, want dump.IncompleteError) {
	t.Helper()
	var partial *dump.PartialError
	var got *dump.IncompleteError
	if !errors.As(err, &partial) || partial.Left != dump.AllElse || !errors.As(err, &got) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

var twoCollections = []archive.Collection{
	{DB: "app", Name: "a", Type: "collection", Metadata: `{"options":{},"indexes":[{"v":2,"key":{"n":1},"name":"n_1"}]}`},
	{DB: "app", Name: "b", Type: "collection"},
}

// Documents that the server refuses are counted as missing, and told of once for each reason; all
// others are there, and the indexes.
func TestRefusedDocuments(t *testing.T) {
	docs := slices.Concat([]string{`{"_id":"x","bad":1}`}, numbered(someBatches), []string{`{"_id":"y","bad":2}`, `{"_id":"z"}`})
	stream := archiveOf(t, twoCollections, docs, numbered(3))
	for _, jobs := range []int{1, 3} {
		to := startFake(t)
		refuse(to, 121)
		told, err := goOn(t, to, LoadConfig{Jobs: jobs}, stream)
		isIncomplete(t, err, dump.IncompleteError{Refused: 1, Of: 5, Missing: []dump.Table{{Name: "app.a", Rows: 2}}})
		if len(told) != 1 || told[0].What != "documents of app.a" || told[0].Table != "app.a" || told[0].Rows != 2 || !strings.Contains(told[0].Err.Error(), "Document failed validation") || !strings.Contains(told[0].Err.Error(), `"y" of app.a`) {
			t.Errorf("%d jobs: told %+v", jobs, told)
		}
		a := to.collection("app", "a")
		if len(a.docs) != someBatches+1 || len(a.indexes) != 2 || len(to.collection("app", "b").docs) != 3 {
			t.Errorf("%d jobs: %d documents of app.a, indexes %v", jobs, len(a.docs), a.indexes)
		}
		if n := len(to.sent("insert")); n > 12 {
			t.Errorf("%d jobs: %d inserts", jobs, n)
		}
	}
	to := startFake(t)
	refuse(to, 121)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err == nil || !strings.HasSuffix(err.Error(), dump.HoldsPart) || errors.As(err, new(*dump.IncompleteError)) {
		t.Errorf("where nobody is told: %v", err)
	}
}

// Of a batch that the server refuses as a whole all but the document that it is about is there.
func TestRefusedBatch(t *testing.T) {
	to := startFake(t)
	to.handle("insert", func(_ string, command bson.Raw) any {
		if strings.Contains(command.Lookup("documents").String(), `"bad"`) {
			return failure(10334, "BSONObj size is invalid")
		}
		return nil
	})
	docs := slices.Concat(numbered(5000), []string{`{"_id":"x","bad":1}`, `{"_id":"y"}`})
	told, err := goOn(t, to, LoadConfig{}, archiveOf(t, twoCollections, docs, []string{`{"_id":1,"bad":1}`}))
	isIncomplete(t, err, dump.IncompleteError{Refused: 2, Of: 5, Missing: []dump.Table{{Name: "app.a", Rows: 1}, {Name: "app.b", Rows: 1}}})
	if len(told) != 2 || told[0].Err.Error() != `the server refuses documents: BSONObj size is invalid: "x" of app.a` {
		t.Errorf("told %+v", told)
	}
	if n := len(to.collection("app", "a").docs); n != 5001 || to.collection("app", "b") == nil {
		t.Errorf("%d documents", n)
	}
}

// Where the server takes no document at all into a collection they are not tried one by one.
func TestRefusedCollectionsDocuments(t *testing.T) {
	to := startFake(t)
	to.handle("insert", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("insert").StringValueOK(); name == "a" {
			return failure(server.CodeUnauthorized, "not authorized on app")
		}
		return nil
	})
	told, err := goOn(t, to, LoadConfig{Jobs: 2}, archiveOf(t, twoCollections, numbered(someBatches), numbered(3)))
	isIncomplete(t, err, dump.IncompleteError{Refused: 1, Of: 5, Missing: []dump.Table{{Name: "app.a", Rows: someBatches}}})
	if n := len(to.sent("insert")); n > 6 || len(told) != 1 || told[0].Rows != someBatches || len(to.collection("app", "b").docs) != 3 {
		t.Errorf("%d inserts, told %+v", n, told)
	}
}

// What is refused of definitions is told when it comes; documents of what is not made are missing,
// and so are those that another of their _id keeps out.
func TestRefusedDefinitionsAreTold(t *testing.T) {
	to := startFake(t)
	to.handle("create", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("create").StringValueOK(); name == "b" {
			return failure(72, "not with these options")
		}
		return nil
	})
	to.handle("createIndexes", func(string, bson.Raw) any { return failure(67, "not this one") })
	docs := append(numbered(5), `{"_id":1,"other":true}`)
	told, err := goOn(t, to, LoadConfig{}, archiveOf(t, twoCollections, docs, numbered(3)))
	isIncomplete(t, err, dump.IncompleteError{Refused: 3, Of: 4, Missing: []dump.Table{{Name: "app.a", Rows: 1}, {Name: "app.b", Rows: 3}}})
	var lines []string
	for _, r := range told {
		lines = append(lines, fmt.Sprintf("%s: %v (%s %d)", r.What, r.Err, r.Table, r.Rows))
	}
	equalStrings(t, "told", lines, []string{
		"collection app.b: not with these options ( 0)",
		`documents of app.a: the dump has several documents of one _id, of which one is there: {"$numberInt":"1"} of app.a (app.a 1)`,
		"index n_1 of app.a: not this one ( 0)",
	})
}

// An entry of the oplog that the server refuses ends no load that goes on, and none of it is told
// of but where it was.
func TestRefusedEntryOfTheOplog(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3,"secret":"hidden"}`), oplogEntry(4, "i", "app.users", `{"_id":4}`))
	to := startFake(t)
	to.handle("applyOps", func(_ string, command bson.Raw) any {
		if strings.Contains(command.String(), "hidden") {
			return failure(2, "not this one")
		}
		return nil
	})
	told, err := goOn(t, to, LoadConfig{}, stream)
	if !errors.As(err, new(*dump.IncompleteError)) || len(told) != 1 || !strings.Contains(told[0].What, "on app.users") || strings.Contains(told[0].What+err.Error(), "hidden") {
		t.Errorf("%v, told %+v", err, told)
	}
	if n := len(to.sent("applyOps")); n != 2 || len(to.sent("createIndexes")) == 0 {
		t.Errorf("%d entries were played", n)
	}
}

// A server that dies ends the load also where it goes on, and what was left out until then is told.
func TestGoingOnEndsWithTheServer(t *testing.T) {
	to := startFake(t)
	n := 0
	to.handle("insert", func(string, bson.Raw) any {
		if n++; n == 1 {
			return failure(server.CodeUnauthorized, "not authorized on app")
		}
		return errHangUp
	})
	told, err := goOn(t, to, LoadConfig{Jobs: 1}, archiveOf(t, twoCollections, numbered(someBatches), numbered(1)))
	if err == nil || !strings.Contains(err.Error(), serverEnded) || !strings.HasSuffix(err.Error(), dump.HoldsPart) || len(told) != 1 {
		t.Errorf("%v, told %+v", err, told)
	}
}

// So does what a mongos says of a document whose shard it has not reached: it may be there all the
// same.
func TestGoingOnEndsWithAShard(t *testing.T) {
	to := startFake(t)
	refuse(to, 91)
	told, err := goOn(t, to, LoadConfig{Jobs: 1}, archiveOf(t, twoCollections, []string{`{"_id":"x","bad":1}`}, numbered(1)))
	if err == nil || errors.As(err, new(*dump.IncompleteError)) || !strings.HasSuffix(err.Error(), dump.HoldsPart) || len(told) > 0 {
		t.Errorf("%v, told %+v", err, told)
	}
}

// FerretDB 1 takes no dots in names: the document that has one is missing, and no other is.
func TestRefusedDocumentsOfAServer(t *testing.T) {
	if !isFerretV1(t) {
		t.Skip("for a server that does not take every name")
	}
	db := newTestDB(t)
	docs := append(numbered(200), `{"_id":"x","a.b":1}`, `{"_id":"last"}`)
	var told []dump.Refusal
	l, err := NewLoader(LoadConfig{Server: db.server(t), Database: db.name, Refused: func(r dump.Refusal) { told = append(told, r) }})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Load(t.Context(), bytes.NewReader(archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, docs)))
	isIncomplete(t, err, dump.IncompleteError{Refused: 1, Of: 2, Missing: []dump.Table{{Name: "app.c", Rows: 1}}})
	if n, err := db.coll("c").CountDocuments(t.Context(), bson.D{}); err != nil || n != 201 || len(told) != 1 {
		t.Errorf("%d documents, %v; told %+v", n, err, told)
	}
}

// A command that somebody has ended may have inserted some of its documents: the load ends by its
// error, and not by a number of documents that it has miscounted.
func TestGoingOnEndsWhereACommandIsInterrupted(t *testing.T) {
	to := startFake(t)
	n := 0
	to.handle("insert", func(db string, command bson.Raw) any {
		if n++; n > 1 {
			return nil
		}
		name, _ := command.Lookup("insert").StringValueOK()
		docs, _ := command.Lookup("documents").ArrayOK()
		all, _ := bson.RawArray(docs).Values()
		c := to.collection(db, name)
		c.docs = append(c.docs, all[0].Document())
		return failure(11601, "operation was interrupted")
	})
	told, err := goOn(t, to, LoadConfig{Jobs: 1}, archiveOf(t, twoCollections, numbered(5), numbered(3)))
	if err == nil || errors.As(err, new(*dump.IncompleteError)) || !strings.Contains(err.Error(), "operation was interrupted") || len(told) > 0 {
		t.Errorf("error %v, told %+v", err, told)
	}
}

package mongo

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// cutShort has a fake end the cursor of a collection after its first answer, as if that were all.
func cutShort(t *testing.T, f *fake, name string) {
	t.Helper()
	f.batch = 2
	f.handle("getMore", func(db string, command bson.Raw) any {
		if coll, _ := command.Lookup("collection").StringValueOK(); coll == name {
			return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: db + "." + name}, {Key: "nextBatch", Value: bson.A{}}}}}
		}
		return nil
	})
}

func manyDocuments(n int) (docs []string) {
	for i := range n {
		docs = append(docs, fmt.Sprintf(`{"_id":%d}`, i))
	}
	return docs
}

// A cursor that ends too early looks like one at its end. What the server counts tells them apart.
func TestAnswerEndsTooEarly(t *testing.T) {
	for name, kind := range map[string]struct {
		cfg Config
		do  func(f *fake)
	}{
		"plain": {Config{Oplog: OplogOff}, func(*fake) {}},
		"snapshot through a mongos": {Config{}, func(f *fake) {
			f.msg = "isdbgrid"
			offerSnapshots(f, func(bson.RawValue, bson.Raw) any { return nil })
		}},
		"snapshot":     {Config{}, func(f *fake) { f.set = "rs0"; offerSnapshots(f, func(bson.RawValue, bson.Raw) any { return nil }) }},
		"first answer": {Config{Oplog: OplogOff}, func(f *fake) { f.handle("find", firstAnswerIsAll("many")) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			f.add(t, "app", "many", "collection", "", manyDocuments(9)...)
			cutShort(t, f, "many")
			kind.do(f)
			kind.cfg.Database = "app"
			if _, _, err := dumpFake(t, f, kind.cfg); err == nil || !strings.Contains(err.Error(), "read app.many: ") || !strings.Contains(err.Error(), " documents were read of 9: the server ended its answer too early") {
				t.Errorf("%v", err)
			}
		})
	}
	f := startFake(t)
	f.add(t, "app", "many", "collection", "", manyDocuments(9)...)
	f.handle("find", noBatch("many"))
	if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "read app.many: the server's answer has not its form") {
		t.Errorf("no batch: %v", err)
	}
	f = startFake(t)
	fillFake(t, f)
	buckets := f.collection("app", "system.buckets.weather")
	buckets.docs = append(buckets.docs, jsonRaw(t, `{"_id":2}`), jsonRaw(t, `{"_id":3}`))
	cutShort(t, f, "system.buckets.weather")
	// In the order of keys without a snapshot others may have written before what was read next:
	// that is told.
	for name, cfg := range map[string]Config{"weather": {}, "many": {Order: OrderID}} {
		f.add(t, "app", "many", "collection", "", manyDocuments(9)...)
		cutShort(t, f, map[string]string{"weather": "system.buckets.weather", "many": "many"}[name])
		cfg.Database, cfg.Users, cfg.Oplog = "app", UsersOff, OplogOff
		_, said, err := dumpFake(t, f, cfg)
		if err != nil || len(said.warnings) != 1 || !strings.HasPrefix(said.warnings[0], "app."+name+": 2 documents were read, and the server counts ") {
			t.Errorf("%s: %v, %q", name, err, said.warnings)
		}
		f.collections = slices.DeleteFunc(f.collections, func(c *fakeCollection) bool { return c.name == "many" })
	}
}

func firstAnswerIsAll(name string) func(string, bson.Raw) any {
	return func(db string, command bson.Raw) any {
		if coll, _ := command.Lookup("find").StringValueOK(); coll == name {
			return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: db + "." + name}, {Key: "firstBatch", Value: bson.A{bson.D{{Key: "_id", Value: 1}}}}}}}
		}
		return nil
	}
}

func noBatch(name string) func(string, bson.Raw) any {
	return func(db string, command bson.Raw) any {
		if coll, _ := command.Lookup("find").StringValueOK(); coll == name {
			return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: db + "." + name}}}}
		}
		return nil
	}
}

// The number that a server keeps may be wrong, as after a crash, and others may write meanwhile: no
// error then.
func TestCountsThatProveNothing(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(f *fake)
		said string
	}{
		"kept number too high": {func(f *fake) {
			f.handle("count", func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 100}} })
		}, ""},
		"no number": {func(f *fake) {
			f.handle("count", func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: "nine"}} })
		}, ""},
		"no right": {func(f *fake) {
			f.handle("count", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not authorized") })
		}, ""},
		"grows":                                  {func(f *fake) { growing(f, 0) }, ""},
		"grows, and the number kept is too high": {func(f *fake) { growing(f, 50) }, "app.many: 9 documents were read, and the server counts 30"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			f.add(t, "app", "many", "collection", "", manyDocuments(9)...)
			test.do(f)
			_, said, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
			if err != nil || !strings.HasPrefix(strings.Join(said.warnings, "\n"), test.said) || test.said == "" && len(said.warnings) > 0 {
				t.Errorf("%v, warnings %q, want %q", err, said.warnings, test.said)
			}
		})
	}
}

// growing has others insert each time that is counted.
func growing(f *fake, more int) {
	n := 9 + more - 1
	f.handle("count", func(string, bson.Raw) any { n++; return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: n}} })
	all := 29
	f.handle("aggregate", func(db string, command bson.Raw) any {
		if _, err := command.LookupErr("pipeline", "0", "$group"); err != nil {
			return nil
		}
		all++
		return f.cursor(db, "many", []bson.Raw{count(all)})
	})
}

// Of one database's users, which are some of all, it is the same.
func TestUsersEndTooEarly(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	users := f.collection("admin", "system.users")
	for i := range 5 {
		users.docs = append(users.docs, jsonRaw(t, fmt.Sprintf(`{"_id":"app.u%d","user":"u%d","db":"app"}`, i, i)))
	}
	if _, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOn, Oplog: OplogOff}); err != nil || len(said.warnings) > 0 {
		t.Errorf("%v, %q", err, said.warnings)
	}
	cutShort(t, f, "system.users")
	if _, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOn, Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "read app.$admin.system.users: 2 documents were read of 6: the server ended its answer too early") {
		t.Errorf("%v", err)
	}
}

// The oplog is read to the entry that was the newest.
func TestOplogEndsTooEarly(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	entriesDuringTheDump(t, f, oplogEntry(3, "i", "app.users", `{"_id":3}`), oplogEntry(4, "i", "app.users", `{"_id":4}`), oplogEntry(5, "i", "app.users", `{"_id":5}`))
	cutShort(t, f, "oplog.rs")
	if _, _, err := dumpFake(t, f, Config{}); err == nil || !strings.Contains(err.Error(), "its last entry is of 100.5, and 100.3 was read last") {
		t.Errorf("%v", err)
	}
}

// A collection that the server names and does not describe, and statistics that count more than it
// names.
func TestListingIsShort(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	f.add(t, "app", "b", "collection", "", `{"_id":1}`)
	f.handle("listCollections", func(db string, command bson.Raw) any {
		if document.Has(command, "nameOnly") {
			return nil
		}
		return f.cursor(db, "$cmd.listCollections", []bson.Raw{jsonRaw(t, `{"name":"a","type":"collection","options":{}}`)})
	})
	if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "names collections that it does not describe, each of 10 times that it was asked: b") {
		t.Errorf("%v", err)
	}
	f.handle("listCollections", nil)
	f.handle("dbStats", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "collections", Value: 3}, {Key: "views", Value: 0}}
	})
	if _, said, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err != nil || !slices.Equal(said.warnings, []string{"the server counts 3 collections and views in app and names 2: the dump may be short of some"}) {
		t.Errorf("%v, %q", err, said.warnings)
	}
	f.handle("dbStats", nil)
	f.handle("listIndexes", func(db string, _ bson.Raw) any { return f.cursor(db, "a", nil) })
	if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "the server lists none, not even that of _id") {
		t.Errorf("%v", err)
	}
}

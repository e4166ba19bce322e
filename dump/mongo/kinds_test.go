package mongo

import (
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// What is on no list is dumped, and named.
func TestKindsThatAreNotKnown(t *testing.T) {
	f := startFake(t)
	f.version = "9.0.1"
	strange := f.add(t, "app", "strange", "hologram", "", `{"_id":1}`)
	strange.indexes = bson.A{idIndex}
	c := f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	c.indexes = append(c.indexes, jsonRaw(t, `{"v":3,"key":{"x":"quantum"},"name":"q"}`))
	f.add(t, "app", "system.secrets", "collection", "", `{"_id":1}`)
	f.add(t, "app", "tempo", "collection", `{"temp":true}`, `{"_id":1}`)
	f.add(t, "local", "mine", "collection", "", `{"_id":1}`)
	f.add(t, "local", "startup_log", "collection", "", `{"_id":1}`)
	stream, said, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "dumped", namespaces(t, stream), []string{"app.a", "app.strange"})
	for _, want := range []string{
		"the server is a MongoDB 9.0.1, newer than this program, which knows up to 8.3",
		"app.strange is of a kind that this program does not know: hologram",
		"index q of app.a is of a kind that this program does not know: quantum",
		"app.system.secrets is left out, as by mongodump",
		"left out, as the server says that it is temporary: app.tempo",
		"collections of the database local are left out, as by mongodump: mine",
	} {
		if !slices.ContainsFunc(said.warnings, func(w string) bool { return strings.HasPrefix(w, want) }) {
			t.Errorf("no warning %s…: %q", want, said.warnings)
		}
	}
	if len(said.warnings) != 6 {
		t.Errorf("%d warnings: %q", len(said.warnings), said.warnings)
	}
	to := startFake(t)
	warnings, err := loadFake(t, to, LoadConfig{}, stream)
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "app.strange is of a kind that this program does not know: hologram") || len(to.collection("app", "strange").docs) != 1 {
		t.Errorf("restored: %v, %q", err, warnings)
	}
}

// A view whose definition is invalid has a mongod list nothing of its database. That costs neither
// the dump nor the other views; a restore goes on without it, to the users, and is an error at its
// end.
func TestInvalidView(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	plain, _, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	views := f.collection("app", "system.views")
	views.docs = []bson.Raw{
		jsonRaw(t, `{"_id":"app.by_name","viewOn":"active","pipeline":[{"$sort":{"name":1}}]}`),
		jsonRaw(t, `{"_id":"app.active","viewOn":"users","pipeline":[{"$match":{"a":{"$gt":1}}}]}`),
		jsonRaw(t, `{"_id":"app.weather","viewOn":"system.buckets.weather","pipeline":[{"$_internalUnpackBucket":{}}]}`),
		jsonRaw(t, `{"_id":"app.bad\nview","viewOn":"users","pipeline":{"$match":1}}`),
		jsonRaw(t, `{"_id":"app.gone","viewOn":"users","pipeline":[{"$gone":1}]}`),
	}
	f.collection("app", "system.buckets.weather").options = jsonD(t, `{"validator":{},"clusteredIndex":true,"timeseries":{"timeField":"t","metaField":"m","granularity":"seconds","bucketMaxSpanSeconds":3600}}`)
	f.handle("listCollections", func(db string, command bson.Raw) any {
		if db != "app" || document.Has(command, "nameOnly") {
			return nil
		}
		if kind, _ := command.Lookup("filter", "type").StringValueOK(); kind != "collection" {
			return failure(server.CodeInvalidView, "Invalid view definition: app.bad")
		}
		answer := f.mongod(db, "listCollections", "", command).(bson.D)
		cursor := answer[1].Value.(bson.D)
		batch := slices.DeleteFunc(cursor[2].Value.(bson.A), func(v any) bool {
			kind, _ := v.(bson.Raw).Lookup("type").StringValueOK()
			return kind != "collection"
		})
		cursor[2].Value = batch
		return answer
	})
	stream, said, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	if len(said.warnings) != 2 || !strings.Contains(said.warnings[0], "reads none of the views of app") || said.warnings[1] != `view "app.bad\nview" is left out, as its definition is none` {
		t.Errorf("warnings %q", said.warnings)
	}
	equalStrings(t, "dumped", slices.DeleteFunc(namespaces(t, stream), func(n string) bool { return n == "app.gone" }), namespaces(t, plain))
	before, after := contents(t, plain), contents(t, stream)
	for name := range before {
		if !slices.Equal(before[name], after[name]) && name != "by_name" && name != "active" {
			t.Errorf("%s: %q, want %q", name, after[name], before[name])
		}
	}
	to := startFake(t)
	to.handle("create", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("create").StringValueOK(); name == "gone" {
			return failure(40324, "Unrecognized pipeline stage name: '$gone'")
		}
		return nil
	})
	_, err = loadFake(t, to, LoadConfig{}, stream)
	if err == nil || !strings.Contains(err.Error(), "the server refuses 1 view: app.gone: create: ") {
		t.Errorf("%v", err)
	}
	if to.collection("app", "by_name") == nil || to.collection("app", "active") == nil || len(to.sent("_mergeAuthzCollections")) != 1 {
		t.Error("the other views, or users and roles, are not restored")
	}
}

// Search indexes are another process's, and not in a dump.
func TestSearchIndexes(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	f.add(t, "app", "b", "collection", "", `{"_id":1}`)
	f.handle("aggregate", func(db string, command bson.Raw) any {
		if name, _ := command.Lookup("aggregate").StringValueOK(); name == "b" {
			return f.cursor(db, name, []bson.Raw{jsonRaw(t, `{"id":"1","name":"default\nx","status":"READY"}`)})
		}
		return f.cursor(db, "a", nil)
	})
	_, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
	if err != nil || !slices.Equal(said.warnings, []string{`search indexes are left out, as by mongodump: "default\nx of app.b"; make them anew after a restore`}) {
		t.Errorf("%v, warnings %q", err, said.warnings)
	}
}

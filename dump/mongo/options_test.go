package mongo

import (
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// What a server adds that nobody knows yet is in the dump, and the restore does not fail by it;
// both say so. What is known to be a server's own goes nowhere, and what is known to be set fails a
// restore where it is refused.
func TestOptionsOfLaterServers(t *testing.T) {
	f := startFake(t)
	c := f.add(t, "app", "a", "collection", `{"validationLevel":"strict","bookkeeping":{"n":1},"recordIdsReplicated":true}`, `{"_id":1}`)
	c.indexes = append(c.indexes, jsonRaw(t, `{"v":2,"key":{"a":1},"name":"a_1","sparse":true,"attver":7,"originalSpec":{"x":1}}`))
	f.add(t, "app", "plain", "collection", "", `{"_id":1}`)
	stream, said, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	if w := said.warnings; len(w) != 2 || !strings.Contains(w[0], "app.a has options") || !strings.Contains(w[0], ": bookkeeping;") || !strings.Contains(w[1], "index a_1 of app.a") || !strings.Contains(w[1], ": attver;") {
		t.Errorf("warnings of the dump %q", w)
	}
	for _, text := range []string{"bookkeeping", "attver", "recordIdsReplicated"} {
		if !strings.Contains(string(stream), text) {
			t.Errorf("%s is not in the dump", text)
		}
	}

	knowing, older := startFake(t), startFake(t)
	older.handle("create", func(_ string, command bson.Raw) any {
		if document.Has(command, "bookkeeping") {
			return failure(server.CodeUnknownField, "BSON field 'create.bookkeeping' is an unknown field.")
		}
		return nil
	})
	for to, want := range map[*fake][]string{knowing: {"index a_1 of app.a"}, older: {"app.a is made without", "index a_1 of app.a"}} {
		warnings, err := loadFake(t, to, LoadConfig{}, stream)
		if err != nil {
			t.Fatal(err)
		}
		if len(warnings) != len(want) || !slices.EqualFunc(warnings, want, strings.Contains) {
			t.Errorf("warnings of the restore %q, want %q", warnings, want)
		}
		creates := to.sent("create")
		made := creates[slices.IndexFunc(creates, func(c string) bool { return strings.Contains(c, `"create":"plain"`) })-1]
		if !strings.Contains(made, `"validationLevel":"strict"`) || strings.Contains(made, definition.RecordIDs) || strings.Contains(made, "bookkeeping") != (to == knowing) {
			t.Errorf("made by %s", made)
		}
		if index := strings.Join(to.sent("createIndexes"), " "); !strings.Contains(index, `"attver"`) || !strings.Contains(index, `"sparse":true`) || strings.Contains(index, "originalSpec") || !strings.Contains(index, `"ignoreUnknownIndexOptions":true`) {
			t.Errorf("made by %s", index)
		}
	}

	strict := startFake(t)
	strict.handle("create", func(_ string, command bson.Raw) any {
		if document.Has(command, "validationLevel") {
			return failure(server.CodeUnknownField, "BSON field 'create.validationLevel' is an unknown field.")
		}
		return nil
	})
	const want = "restore: the server refuses 1 collection: app.a: create: BSON field 'create.validationLevel' is an unknown field.; " + dump.AllElse
	if _, err := loadFake(t, strict, LoadConfig{}, stream); err == nil || err.Error() != want {
		t.Errorf("an option that somebody set is refused: %v, want %s", err, want)
	}
	if plain := strict.collection("app", "plain"); plain == nil || len(plain.docs) != 1 || strict.collection("app", "a") != nil {
		t.Error("the other collection is not restored, or the documents are without their collection")
	}
}

// What an oplog says of a collection that the server refuses to make is passed over, as are its
// documents and indexes.
func TestReplayWithoutARefusedCollection(t *testing.T) {
	to := startFake(t)
	to.handle("create", func(_ string, command bson.Raw) any {
		if command.Lookup("create").StringValue() == "users" {
			return failure(9, "unknown validator")
		}
		return nil
	})
	_, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(
		t, oplogEntry(3, "i", "app.users", `{"_id":3}`),
		oplogEntry(4, "c", "app.$cmd", `{"createIndexes":"users","v":2,"key":{"c":1},"name":"c_1"}`),
		oplogEntry(5, "i", "app.images", `{"_id":3}`),
	))
	if err == nil || !strings.HasPrefix(err.Error(), "restore: the server refuses 1 collection: app.users: create: ") || !strings.HasSuffix(err.Error(), dump.AllElse) {
		t.Error(err)
	}
	if to.collection("app", "users") != nil || len(to.sent("applyOps")) != 1 || strings.Contains(strings.Join(to.sent("createIndexes"), ""), "users") || len(to.collection("app", "zlog").docs) != 2 {
		t.Errorf("%q, %q", to.sent("applyOps"), to.sent("createIndexes"))
	}
}

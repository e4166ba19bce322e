package mongo

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A unique index that the documents break costs no other index, and no view: what the server
// refuses is named. FerretDB 1 does not take back those before it, so it is the first.
func TestRefusedIndexOfAServer(t *testing.T) {
	db := newTestDB(t)
	f := startFake(t)
	twins := f.add(t, db.name, "a_twins", "collection", "", `{"_id":1,"n":1,"m":1}`, `{"_id":2,"n":1,"m":2}`)
	twins.indexes = append(
		twins.indexes,
		jsonRaw(t, `{"v":2,"key":{"m":1},"name":"m_1"}`),
		jsonRaw(t, `{"v":2,"key":{"n":1},"name":"a_unique","unique":true}`),
		jsonRaw(t, `{"v":2,"key":{"n":-1},"name":"n_-1"}`),
	)
	f.add(t, db.name, "b", "collection", "", `{"_id":1}`).indexes = bson.A{idIndex, jsonRaw(t, `{"v":2,"key":{"b":1},"name":"b_1"}`)}
	stream, _, err := dumpFake(t, f, Config{Database: db.name, Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoader(LoadConfig{Server: db.server(t)})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Load(t.Context(), bytes.NewReader(stream))
	const want = "restore: the server refuses 1 index: "
	if err == nil || !strings.HasPrefix(err.Error(), want+db.name+".a_twins: create index a_unique: ") || !errors.As(err, new(*dump.PartialError)) {
		t.Errorf("%v, want %s…", err, want)
	}
	for name, want := range map[string]string{"a_twins": "_id_ m_1 n_-1", "b": "_id_ b_1"} {
		specs, err := db.coll(name).Indexes().ListSpecifications(t.Context())
		var names []string
		for _, spec := range specs {
			names = append(names, spec.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s has %s, want %s: %v", name, got, want, err)
		}
	}
}

// Of all that is refused all is named, also users, and what is not is made. What the oplog says of
// users that are not there is passed over.
func TestAllRefusalsAreNamed(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "admin.system.users", `{"_id":"app.ann","user":"ann","db":"app"}`), oplogEntry(4, "i", "app.users", `{"_id":3}`))
	to := startFake(t)
	to.handle("createIndexes", func(_ string, command bson.Raw) any {
		if strings.Contains(command.Lookup("indexes").String(), "text") {
			return failure(67, "text index option 'textIndexVersion' must be 4")
		}
		return nil
	})
	to.handle("create", func(_ string, command bson.Raw) any {
		if document.Has(command, "viewOn") {
			return failure(40324, "Unrecognized pipeline stage name")
		}
		return nil
	})
	to.handle("_mergeAuthzCollections", func(string, bson.Raw) any { return failure(2, "not these") })
	_, err := loadFake(t, to, LoadConfig{}, stream)
	const want = "restore: the server refuses 1 index and 2 views and users and roles: app.users: create index text: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "\napp.by_name: create: ") || !strings.Contains(err.Error(), "\nusers and roles: not these") {
		t.Errorf("%v, want %s…", err, want)
	}
	isIncomplete(t, err, dump.IncompleteError{Refused: 4, Of: 20})
	if made := to.collection("app", "users").indexes; len(made) != 2 {
		t.Errorf("indexes %v, want that of _id and b_a", made)
	}
	if applied := to.sent("applyOps"); len(applied) != 1 || !strings.Contains(applied[0], "app.users") {
		t.Errorf("applied %q", applied)
	}
	// An error that is no answer ends it.
	to = startFake(t)
	to.handle("createIndexes", func(string, bson.Raw) any { return errHangUp })
	if _, err := loadFake(t, to, LoadConfig{}, stream); err == nil || strings.Contains(err.Error(), dump.AllElse) || len(to.sent("createIndexes")) > 2 {
		t.Errorf("%v", err)
	}
}

// Users of a form that the server does not read cost nothing else, as those that it refuses.
func TestUsersOfAnotherForm(t *testing.T) {
	to := startFake(t)
	to.handle("getParameter", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "authSchemaVersion", Value: 7}}
	})
	_, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`)))
	const want = "restore: the server refuses users and roles: users and roles: they are of another form than the server's: its version in the dump is 5, the server's is 7; " + dump.AllElse
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if len(to.sent("applyOps")) != 1 || len(to.sent("createIndexes")) != 2 || to.collection("admin", "tempusers") != nil {
		t.Errorf("%q, %q, or copies of the users are left", to.sent("applyOps"), to.sent("createIndexes"))
	}
}

// A restore that fails, or is ended, leaves no copy of what passwords are checked by where others
// may read it, or says so.
func TestNoCopiesOfUsersAreLeft(t *testing.T) {
	stream := dumpWithOplog(t)
	ended, end := context.WithCancel(t.Context())
	for name, test := range map[string]struct {
		ctx      context.Context
		insert   func() any
		drop     any
		warnings int
	}{
		"full":        {t.Context(), func() any { return failure(14031, "no space left on device") }, nil, 0},
		"ended":       {ended, func() any { end(); return nil }, nil, 0},
		"not dropped": {t.Context(), func() any { return failure(14031, "no space left on device") }, failure(server.CodeUnauthorized, "not authorized"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			to := startFake(t)
			copied := false
			to.handle("insert", func(db string, _ bson.Raw) any {
				if db == "admin" {
					copied = true
					return nil
				}
				return test.insert()
			})
			to.handle("drop", func(string, bson.Raw) any {
				if copied {
					return test.drop
				}
				return nil
			})
			var warnings []string
			l, err := NewLoader(LoadConfig{Server: to.server(), Warn: func(s string) { warnings = append(warnings, s) }})
			if err != nil {
				t.Fatal(err)
			}
			err = l.Load(test.ctx, bytes.NewReader(stream))
			if left := to.collection("admin", "tempusers") != nil; err == nil || !copied || left != (test.drop != nil) || len(warnings) != test.warnings {
				t.Errorf("%v; copied: %v, left: %v, warnings %q", err, copied, left, warnings)
			}
		})
	}
}

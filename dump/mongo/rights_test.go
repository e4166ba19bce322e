package mongo

import (
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A mongod answers who may not list all databases with those that he may see, unless it is told
// that this is no answer.
func TestDatabasesThatAreNotSeen(t *testing.T) {
	limited := func(f *fake) {
		f.handle("listDatabases", func(_ string, command bson.Raw) any {
			if all, ok := command.Lookup("authorizedDatabases").BooleanOK(); ok && !all {
				return failure(server.CodeUnauthorized, "not authorized on admin to execute command { listDatabases: 1 }")
			}
			return bson.D{{Key: "ok", Value: 1}, {Key: "databases", Value: bson.A{bson.D{{Key: "name", Value: "app"}}}}}
		})
	}
	f := startFake(t)
	fillFake(t, f)
	f.add(t, "secret", "a", "collection", "", `{"_id":1}`)
	limited(f)
	_, surveyed := surveyFake(t, f, Config{})
	_, _, dumped := dumpFake(t, f, Config{})
	for _, err := range []error{surveyed, dumped} {
		if !server.HasCode(err, server.CodeUnauthorized) || !strings.Contains(err.Error(), "list the databases: ") {
			t.Errorf("all databases: %v", err)
		}
	}
	// Of one database all is seen.
	if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err != nil {
		t.Error(err)
	}
	// A server that does not know the word is asked without it, and that is said.
	f.handle("listDatabases", func(_ string, command bson.Raw) any {
		if document.Has(command, "authorizedDatabases") {
			return failure(server.CodeUnknownField, "BSON field 'listDatabases.authorizedDatabases' is an unknown field.")
		}
		return nil
	})
	if _, said, err := dumpFake(t, f, Config{Oplog: OplogOff}); err != nil || len(said.warnings) != 1 || !strings.Contains(said.warnings[0], "whether these are all databases") {
		t.Errorf("an old server: %v, %q", err, said.warnings)
	}
}

func TestGrants(t *testing.T) {
	refused := Server{URI: "mongodb://joe:secret@127.0.0.1/?authSource=people"}
	missing := func() error {
		f := startFake(t)
		f.handle("listDatabases", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not authorized") })
		_, err := surveyFake(t, f, Config{})
		return err
	}()
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, `db.getSiblingDB("people").grantRolesToUser("joe", [{ role: "backup", db: "admin" }])`},
		{Config{Database: "app"}, `db.getSiblingDB("people").grantRolesToUser("joe", [{ role: "read", db: "app" }])`},
		{Config{Database: "app", Users: UsersOn}, `db.getSiblingDB("people").grantRolesToUser("joe", [{ role: "backup", db: "admin" }])`},
	} {
		test.cfg.Server = refused
		src, err := NewSource(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		var right *server.RightError
		if err := src.withGrant(missing); !errors.As(err, &right) || right.Grant != test.want || !strings.HasSuffix(err.Error(), "grant it in mongosh: "+test.want) || !server.HasCode(err, server.CodeUnauthorized) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, want %s", test.cfg, err, test.want)
		}
		if other := errors.New("other"); !errors.Is(src.withGrant(other), other) {
			t.Error("another error is changed")
		}
	}
}

// Users that are left out of a dump or of a restore are told of.
func TestUsersAreLeftOut(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	f.add(t, "plain", "a", "collection", "", `{"_id":1}`)
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Database: "app"}, "users and roles of app are not in the dump: MONGO_DUMP_USERS=on"},
		{Config{Database: "app", Users: UsersOff}, ""},
		{Config{Database: "app", Users: UsersOn}, ""},
		{Config{Database: "plain"}, ""},
	} {
		test.cfg.Oplog = OplogOff
		_, said, err := dumpFake(t, f, test.cfg)
		if err != nil || len(said.warnings) > 1 || !strings.HasPrefix(strings.Join(said.warnings, ""), test.want) || test.want == "" && len(said.warnings) > 0 {
			t.Errorf("%s %s: %v, %q", test.cfg.Database, test.cfg.Users, err, said.warnings)
		}
	}
	stream, _, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []LoadConfig{{Include: []string{"app.*"}}, {From: []string{"app.*"}, To: []string{"new.*"}}} {
		if warnings, err := loadFake(t, startFake(t), cfg, stream); err != nil || !strings.Contains(strings.Join(warnings, "\n"), "users and roles are left out") {
			t.Errorf("%+v: %v, %q", cfg, err, warnings)
		}
	}
	f.handle("find", func(db string, _ bson.Raw) any {
		if db == "admin" {
			return failure(server.CodeUnauthorized, "not authorized on admin")
		}
		return nil
	})
	if _, said, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err != nil || len(said.warnings) != 1 || !strings.Contains(said.warnings[0], "whether there are any this user may not see") {
		t.Errorf("not seen: %v, %q", err, said.warnings)
	}
}

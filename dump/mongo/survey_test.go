package mongo

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

func surveyFake(t *testing.T, f *fake, cfg Config) (dump.Survey, error) {
	t.Helper()
	cfg.Server = f.server()
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return src.Survey(t.Context())
}

// A dump that would hold nothing is an error that names what is there, and not a byte is written.
func TestNothingToDump(t *testing.T) {
	full := func(f *fake) { fillFake(t, f) }
	for name, test := range map[string]struct {
		fill func(f *fake)
		cfg  Config
		want string
	}{
		"another case":   {full, Config{Database: "App"}, `database App: nothing to dump; there is "app"`},
		"include":        {full, Config{Include: []string{"app.user", "shop.*"}}, `collections app.user, shop.* of databases: nothing to dump; there is "app.clustered", "app.images",`},
		"include of one": {full, Config{Database: "app", Include: []string{"shop.*"}}, `collections shop.* of database app: nothing to dump; there is "app.clustered",`},
		"exclude":        {full, Config{Database: "app", Exclude: []string{"app.*"}}, `collections but app.* of database app: nothing to dump; there is "app.clustered",`},
		"nothing at all": {func(*fake) {}, Config{}, "all databases: nothing to dump, and nothing else is to be seen there"},
		"users alone": {func(f *fake) {
			full(f)
			f.collections = slices.DeleteFunc(f.collections, func(c *fakeCollection) bool { return c.db == "app" })
		}, Config{}, "all databases: nothing to dump"},
		"hidden, and a name": {func(f *fake) { f.add(t, "x\x1b[2J", "a", "collection", "") }, Config{Database: "app"}, `there is "x\x1b[2J"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			test.fill(f)
			test.cfg.Oplog = OplogOff
			_, surveyed := surveyFake(t, f, test.cfg)
			stream, _, dumped := dumpFake(t, f, test.cfg)
			var empty *dump.EmptyError
			for _, err := range []error{surveyed, dumped} {
				if !errors.As(err, &empty) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want: … %s …", err, test.want)
				}
			}
			if len(stream) > 0 {
				t.Errorf("%d bytes are written", len(stream))
			}
			test.cfg.AllowEmpty = true
			if found, err := surveyFake(t, f, test.cfg); err != nil || !found.Empty {
				t.Errorf("allowed: %+v, %v", found, err)
			}
			if stream, _, err := dumpFake(t, f, test.cfg); err != nil || Verify(bytes.NewReader(stream)) != nil {
				t.Errorf("allowed: %v", err)
			}
		})
	}
	f := startFake(t)
	full(f)
	if _, said, err := dumpFake(t, f, Config{Include: []string{"app.users", "app.userz"}, Oplog: OplogOff}); err != nil || !slices.ContainsFunc(said.warnings, func(w string) bool { return w == "include app.userz matches no collection" }) {
		t.Errorf("one of two: %v, %q", err, said.warnings)
	}
}

func TestNothingToDumpOfAServer(t *testing.T) {
	db := newTestDB(t)
	db.insert(t, "a", bson.D{{Key: "_id", Value: 1}})
	for _, cfg := range []Config{{Database: db.name + "_not"}, {Database: strings.ToUpper(db.name)}, {Include: []string{db.name + ".b"}}, {Database: db.name, Include: []string{"*.b"}}} {
		cfg.Server = db.server(t)
		src, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		var empty *dump.EmptyError
		if err := src.Dump(t.Context(), &b); !errors.As(err, &empty) || b.Len() > 0 {
			t.Errorf("%+v: %v, %d bytes", cfg.Include, err, b.Len())
		}
		if _, err := src.Survey(t.Context()); !errors.As(err, &empty) || !strings.Contains(err.Error(), db.name) {
			t.Errorf("%+v: %v", cfg.Include, err)
		}
	}
	// Of all databases nothing is told but that there is no moment.
	var warnings []string
	all, err := NewSource(Config{Server: db.server(t), Include: []string{db.name + ".*"}, Users: UsersOff, Warn: func(w string) { warnings = append(warnings, w) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Dump(t.Context(), &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	if warnings = slices.DeleteFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "the dump is not of one moment") }); len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
	if users, err := NewSource(Config{Server: db.server(t), Database: db.name, Users: UsersOn}); err != nil || users.Dump(t.Context(), &bytes.Buffer{}) != nil {
		t.Errorf("with users: %v, %v", err, users.Dump(t.Context(), &bytes.Buffer{}))
	}
	src, err := NewSource(Config{Server: db.server(t), Database: db.name})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := src.Survey(t.Context()); err != nil || found.Empty || strings.ContainsAny(found.Source, " \n@") {
		t.Errorf("%+v, %v", found, err)
	}
}

// The database is named the same by each of its members, and otherwise by each other deployment.
func TestSourceOfSurvey(t *testing.T) {
	name := func(set string, uuid byte, cfg Config, mayList bool) string {
		f := startFake(t)
		f.set = set
		fillFake(t, f)
		f.collection("admin", "system.version").uuid = uuid
		if !mayList {
			f.handle("listCollections", func(db string, _ bson.Raw) any {
				if db == "admin" {
					return failure(server.CodeUnauthorized, "not authorized on admin")
				}
				return nil
			})
		}
		found, err := surveyFake(t, f, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return found.Source
	}
	for _, test := range []struct{ got, want string }{
		{name("rs0", 7, Config{}, true), "mongodb:uuid:" + strings.Repeat("07", 16)},
		{name("rs1", 7, Config{}, true), "mongodb:uuid:" + strings.Repeat("07", 16)},
		{name("", 8, Config{}, true), "mongodb:uuid:" + strings.Repeat("08", 16)},
		{name("", 7, Config{Database: "app"}, true), "mongodb:uuid:" + strings.Repeat("07", 16) + "/app"},
		{name("rs0", 7, Config{Database: "app"}, false), "mongodb:set:rs0/app"},
		{name("", 7, Config{Database: "app"}, false), ""},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// About how many bytes a dump will have is what the server's statistics say: of a database as a
// whole, or of the collections that are chosen. Who may not see them is told nothing.
func TestSurveyedBytes(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	sizes := map[string]int{"users": 100, "system.buckets.weather": 50, "zlog": 7}
	f.handle("dbStats", func(db string, _ bson.Raw) any {
		if db != "app" {
			return failure(server.CodeUnauthorized, "not authorized on "+db)
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "dataSize", Value: 5e9}}
	})
	f.handle("collStats", func(_ string, command bson.Raw) any {
		size, ok := sizes[command.Lookup("collStats").StringValue()]
		if !ok {
			return failure(server.CodeUnauthorized, "not authorized")
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "size", Value: size}}
	})
	for name, test := range map[string]struct {
		cfg  Config
		want int64
	}{
		"all":          {Config{}, 5e9},
		"one database": {Config{Database: "app"}, 5e9},
		"chosen":       {Config{Include: []string{"app.users", "app.weather", "app.active"}}, 150},
		"not to see":   {Config{Include: []string{"app.users", "app.images"}}, 0},
	} {
		if found, err := surveyFake(t, f, test.cfg); err != nil || found.Bytes != test.want {
			t.Errorf("%s: %d bytes, want %d: %v", name, found.Bytes, test.want, err)
		}
	}
	if views := strings.Join(f.sent("collStats"), " "); strings.Contains(views, "active") {
		t.Errorf("asked for the size of a view: %s", views)
	}
}

func TestSurveyedBytesOfAServer(t *testing.T) {
	db := newTestDB(t)
	db.insert(t, "a", bson.D{{Key: "_id", Value: 1}, {Key: "text", Value: strings.Repeat("a", 1<<20)}})
	db.insert(t, "b", bson.D{{Key: "_id", Value: 1}})
	for name, cfg := range map[string]Config{"all of it": {Database: db.name}, "one": {Database: db.name, Include: []string{"*.a"}}} {
		cfg.Server = db.server(t)
		src, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := src.Survey(t.Context()); err != nil || found.Bytes < 1000 || found.Bytes > 4<<20 {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

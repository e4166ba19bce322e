package mongo

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A placing is a load that has to end somewhere: a dump of one database or of several, what it is
// told, and what is there.
type placing struct {
	several  bool // the dump is of live and second
	database string
	from, to string
	include  string
	exclude  string
	clean    bool
	full     bool // live, second and other hold something
}

// outcome says by the rules that the README gives, and not by the code, which collections a load
// fills, or why it is refused.
func (p placing) outcome(dumped, there []string) (into map[string]string, refusal error) {
	into = map[string]string{} // by their names in the dump
	databases := map[string]bool{}
	for _, ns := range dumped {
		if p.include != "" && ns != p.include || ns == p.exclude {
			continue
		}
		db, name, _ := strings.Cut(ns, ".")
		databases[db] = true
		to := ns
		if p.database != "" {
			to = p.database + "." + name
		}
		if prefix, all := strings.CutSuffix(p.from, "*"); p.from != "" && (ns == p.from || all && strings.HasPrefix(ns, prefix)) {
			to = strings.Replace(p.to, "*", strings.TrimPrefix(ns, prefix), 1)
		}
		if into[ns] = to; p.database != "" && !strings.HasPrefix(to, p.database+".") {
			refusal = ErrOutside
		}
	}
	if p.database != "" && len(databases) > 1 {
		return nil, ErrManyDatabases
	}
	if refusal != nil || p.clean || !p.full {
		return into, refusal
	}
	part := p.from != "" || p.include != "" || p.exclude != ""
	for _, to := range into {
		db, _, _ := strings.Cut(to, ".")
		if slices.ContainsFunc(there, func(ns string) bool { return ns == to || !part && strings.HasPrefix(ns, db+".") }) {
			return nil, dump.ErrNotEmpty
		}
	}
	return into, nil
}

// A dump of one database goes into the named one, renamed within it or not, or nowhere; one of
// several into theirs: every combination of what says so. No other collection is touched.
func TestTarget(t *testing.T) {
	live, second, other, elsewhere := newTestDB(t), newTestDB(t), newTestDB(t), newTestDB(t)
	put := func(db *testDB, mark string, names ...string) {
		for _, name := range names {
			if err := db.coll(name).Drop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if mark != "" {
				db.insert(t, name, bson.D{{Key: "_id", Value: 1}, {Key: "mark", Value: mark}})
			}
		}
	}
	put(live, "dumped", "a", "b")
	put(second, "dumped", "c")
	dumpOf := func(cfg Config) []byte {
		cfg.Server, cfg.Users = live.server(t), UsersOff
		src, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := src.Dump(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	one, both := dumpOf(Config{Database: live.name}), dumpOf(Config{Include: []string{live.name + ".*", second.name + ".*"}})
	lives := []string{live.name + ".a", live.name + ".b"}

	names := []string{"a", "b", "c", "d", "kept"}
	dbs := []*testDB{live, second, other, elsewhere}
	reset := func(full bool) map[string]string {
		state := map[string]string{elsewhere.name + ".kept": "old"}
		if full {
			for _, ns := range append(lives, second.name+".c", other.name+".a", other.name+".kept") {
				state[ns] = "old"
			}
		}
		for _, db := range dbs {
			for _, name := range names {
				put(db, state[db.name+"."+name], name)
			}
		}
		return state
	}
	for _, full := range []bool{true, false} {
		state := reset(full)
		for _, p := range placings(live.name, other.name, elsewhere.name) {
			p.full = full
			stream, dumped := one, lives
			if p.several {
				stream, dumped = both, append(slices.Clone(lives), second.name+".c")
			}
			var there []string
			for ns := range state {
				there = append(there, ns)
			}
			into, refusal := p.outcome(dumped, there)
			said, verified, err := loadInto(t, live.server(t), LoadConfig{
				Database: p.database, From: SplitPatterns(p.from), To: SplitPatterns(p.to), Include: SplitPatterns(p.include), Exclude: SplitPatterns(p.exclude), Clean: p.clean,
			}, stream)
			if !errors.Is(err, refusal) || refusal == nil && err != nil {
				t.Errorf("%+v: %v, want %v", p, err, refusal)
			}
			if refusal != dump.ErrNotEmpty && !errors.Is(verified, refusal) {
				t.Errorf("%+v: verified: %v, want %v", p, verified, refusal)
			}
			if refusal != nil {
				if len(said) > 0 {
					t.Errorf("%+v: a refused load said that it goes to %+v", p, said)
				}
				continue
			}
			want, wantDBs, wantDrops := map[string]string{}, map[string]string{}, []string(nil)
			for ns, mark := range state {
				want[ns] = mark
			}
			for _, to := range into {
				if want[to] != "" {
					wantDrops = append(wantDrops, "collection "+to)
				}
				want[to] = "dumped"
				db, _, _ := strings.Cut(to, ".")
				wantDBs[db] = db
			}
			slices.Sort(wantDrops)
			if len(said) != 1 || said[0].Database != p.database || !slices.Equal(said[0].Databases, slices.Sorted(maps.Keys(wantDBs))) || !slices.Equal(said[0].Drops, wantDrops) {
				t.Errorf("%+v: it said that it goes to %+v, want %v, dropping %q", p, said, wantDBs, wantDrops)
			}
			got := map[string]string{}
			for _, db := range dbs {
				for _, name := range names {
					var doc struct{ Mark string }
					if err := db.coll(name).FindOne(t.Context(), bson.D{}).Decode(&doc); err == nil {
						got[db.name+"."+name] = doc.Mark
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v: what is there (-want +got):\n%s", p, diff)
			}
			state = reset(full)
		}
	}
}

// placings is every combination.
func placings(live, other, elsewhere string) (all []placing) {
	for _, several := range []bool{false, true} {
		for _, database := range []string{"", live, other} {
			home := database
			if home == "" {
				home = other
			}
			renames := [][2]string{{"", ""}, {live + ".*", home + ".*"}, {live + ".a", home + ".d"}, {live + ".a", elsewhere + ".a"}}
			for _, rename := range renames {
				for _, chosen := range [][2]string{{"", ""}, {live + ".a", ""}, {"", live + ".b"}} {
					for _, clean := range []bool{false, true} {
						all = append(all, placing{several: several, database: database, from: rename[0], to: rename[1], include: chosen[0], exclude: chosen[1], clean: clean})
					}
				}
			}
		}
	}
	return all
}

func loadInto(t *testing.T, server Server, cfg LoadConfig, stream []byte) (said []dump.Target, verified, err error) {
	t.Helper()
	cfg.Server = server
	cfg.Into = func(target dump.Target) { said = append(said, target) }
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	verified = l.Verify(bytes.NewReader(stream))
	return said, verified, l.Load(t.Context(), bytes.NewReader(stream))
}

// Users and roles of one database go where that goes under its own name, and nowhere else.
func TestUsersGoHome(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOn, Include: []string{"app.users"}})
	if err != nil {
		t.Fatal(err)
	}
	for database, want := range map[string]int{"": 1, "app": 1, "copy": 0} {
		to := startFake(t)
		var said []dump.Target
		into := func(target dump.Target) { said = append(said, target) }
		warnings, err := loadFake(t, to, LoadConfig{Database: database, Clean: true, Into: into}, stream)
		if merged := to.sent("_mergeAuthzCollections"); err != nil || len(merged) != want || len(warnings) != 1-want {
			t.Errorf("into %q: %v, users and roles: %q, warnings %q", database, err, merged, warnings)
		}
		if len(said) != 1 || len(said[0].Drops) != want || want > 0 && said[0].Drops[0] != "users and roles of database app that are not in the dump" {
			t.Errorf("into %q: it said that it goes to %+v", database, said)
		}
	}
}

// A right to drop that the user lacks in one database is found before a collection of another is
// dropped.
func TestUndroppable(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "users", "collection", "", `{"_id":1}`)
	f.add(t, "shop", "orders", "collection", "", `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for privileges, want := range map[string]string{
		`[{"resource":{"db":"app","collection":""},"actions":["find","insert","dropCollection"]},{"resource":{"db":"shop","collection":""},"actions":["find","insert"]}]`:           ErrUndroppable.Error() + ": shop.orders",
		`[{"resource":{"db":"app","collection":"users"},"actions":["dropCollection","insert"]},{"resource":{"db":"","collection":"orders"},"actions":["dropCollection","insert"]}]`: "",
		`[{"resource":{"anyResource":true},"actions":["anyAction"]}]`: "",
	} {
		to := startFake(t)
		to.add(t, "app", "users", "collection", "", `{"_id":7}`)
		to.add(t, "shop", "orders", "collection", "", `{"_id":7}`)
		to.handle("connectionStatus", func(string, bson.Raw) any {
			return jsonRaw(t, `{"ok":1,"authInfo":{"authenticatedUsers":[{"user":"joe","db":"admin"}],"authenticatedUserPrivileges":`+privileges+`}}`)
		})
		_, err := loadFake(t, to, LoadConfig{Clean: true}, stream)
		if want == "" {
			if err != nil || len(to.sent("drop")) != 2 {
				t.Errorf("%s: %v, %q", privileges, err, to.sent("drop"))
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || len(to.sent("drop")) > 0 {
			t.Errorf("%s: %v, want … %s; dropped: %q", privileges, err, want, to.sent("drop"))
		}
	}
}

// A right that the restore will need, for a collection's options, users or the oplog, is found to
// be missing before anything is dropped.
func TestNoRight(t *testing.T) {
	stream := dumpWithOplog(t)
	const normal = `{"resource":{"db":"","collection":""},"actions":["insert","dropCollection","createCollection"%s]}`
	restore := fmt.Sprintf(normal, `,"convertToCapped","bypassDocumentValidation","createIndex","createUser","createRole","grantRole","revokeRole","dropUser","dropRole"`)
	for privileges, want := range map[string]string{
		fmt.Sprintf(normal, ""): "bypassDocumentValidation, createIndex on app.users\n" + ErrNoRight.Error() + ": convertToCapped on app.zlog\n" +
			ErrNoRight.Error() + ": createUser, createRole, grantRole, revokeRole, dropUser, dropRole on ",
		restore: ErrNoRight.Error() + `: applyOps on the cluster`,
		restore + `,{"resource":{"cluster":true},"actions":["applyOps"]}`: "",
		`{"resource":{"db":"app","collection":""},"actions":["find"]}`:    ErrNoRight.Error() + ": createCollection on app.weather, app.active, app.by_name",
		`{"resource":{"anyResource":true},"actions":["anyAction"]}`:       "",
		"": "", // a server that knows users and shows no rights
	} {
		to := startFake(t)
		to.add(t, "app", "images", "collection", "", `{"_id":7}`)
		to.handle("connectionStatus", func(string, bson.Raw) any {
			return jsonRaw(t, `{"ok":1,"authInfo":{"authenticatedUsers":[{"user":"joe","db":"admin"}],"authenticatedUserPrivileges":[`+privileges+`]}}`)
		})
		_, err := loadFake(t, to, LoadConfig{Clean: true}, stream)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", privileges, err)
			}
			continue
		}
		if !errors.Is(err, ErrNoRight) || !strings.Contains(err.Error(), want) || len(to.sent("drop")) > 0 {
			t.Errorf("%s: %v, want … %s; dropped: %q", privileges, err, want, to.sent("drop"))
		}
	}
}

// A server without users has the version of their form all the same: it takes no right.
func TestNoUsersNoRight(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	f.add(t, "admin", "system.version", "collection", "", `{"_id":"authSchema","currentVersion":5}`)
	stream, _, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	to := startFake(t)
	to.handle("connectionStatus", func(string, bson.Raw) any {
		return jsonRaw(t, `{"ok":1,"authInfo":{"authenticatedUsers":[{"user":"joe","db":"admin"}],"authenticatedUserPrivileges":[{"resource":{"db":"app","collection":""},"actions":["insert"]}]}}`)
	})
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Error(err)
	}
}

// No collection goes where the server keeps its own.
func TestServersOwnIsNoTarget(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []LoadConfig{{Database: "local"}, {Database: "config"}, {From: []string{"app.*"}, To: []string{"__mdb_internal.*"}}} {
		to := startFake(t)
		if _, err := loadFake(t, to, cfg, stream); err == nil || !strings.Contains(err.Error(), "the server's own") || len(to.sent("create")) > 0 {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

// What is gone when a collection cannot be dropped after all is named.
func TestGoneIsNamed(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	f.add(t, "app", "b", "collection", "", `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[any]string{
		"refused": "; dropped are collection app.a, and nothing of the dump is there yet",
		"hung up": "; dropped are collection app.a, perhaps collection app.b, and nothing of the dump is there yet",
	} {
		f.handle("drop", func(_ string, command bson.Raw) any {
			name, _ := command.Lookup("drop").StringValueOK()
			switch {
			case name != "b":
				return nil
			case answer == "refused":
				return failure(20, "cannot drop it")
			}
			return errHangUp
		})
		if f.collection("app", "a") == nil {
			f.add(t, "app", "a", "collection", "", `{"_id":1}`)
		}
		if _, err := loadFake(t, f, LoadConfig{Clean: true}, stream); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want … %s", fmt.Sprint(answer), err, want)
		}
	}
}

// An option of a collection that is none, as the database that a command is for, is refused before
// anything is dropped.
func TestOptionOfACommand(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "users", "collection", `{"$db":"other"}`, `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	to := startFake(t)
	to.add(t, "app", "users", "collection", "", `{"_id":7}`)
	if _, err := loadFake(t, to, LoadConfig{Clean: true}, stream); err == nil || !strings.Contains(err.Error(), "app.users: its option $db is none of a collection") || len(to.sent("drop"))+len(to.sent("create")) > 0 {
		t.Errorf("%v; %q", err, append(to.sent("drop"), to.sent("create")...))
	}
}

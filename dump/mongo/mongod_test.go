package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// What only a mongod has is played by a fake.

type told struct{ warnings, debug []string }

// dumpFake dumps a fake and returns what was said on the way. A dump that fails must not look
// whole, and none may leave a goroutine behind.
func dumpFake(t *testing.T, f *fake, cfg Config) ([]byte, *told, error) {
	t.Helper()
	var said told
	cfg.Server = f.server()
	cfg.Warn = func(s string) { said.warnings = append(said.warnings, s) }
	cfg.Debug = func(s string) { said.debug = append(said.debug, s) }
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	leaks := goleak.IgnoreCurrent()
	var b bytes.Buffer
	err = src.Dump(t.Context(), &b)
	if leak := goleak.Find(leaks, goleak.IgnoreAnyFunction("github.com/breaking-backups/breaking-backups/dump/mongo.(*fake).answer")); leak != nil {
		t.Error(leak)
	}
	if err != nil {
		if broken := Verify(bytes.NewReader(b.Bytes())); broken == nil {
			t.Errorf("the dump failed (%v), and what it wrote looks whole", err)
		}
	}
	return b.Bytes(), &said, err
}

func loadFake(t *testing.T, f *fake, cfg LoadConfig, stream []byte) ([]string, error) {
	t.Helper()
	var warnings []string
	cfg.Server = f.server()
	cfg.Warn = func(s string) { warnings = append(warnings, s) }
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return warnings, l.Load(t.Context(), bytes.NewReader(stream))
}

// fillFake gives a fake one of every kind.
func fillFake(t *testing.T, f *fake) {
	t.Helper()
	f.add(t, "app", "zlog", "collection", `{"capped":true,"size":4096,"max":10}`, `{"_id":2}`, `{"_id":1}`)
	users := f.add(t, "app", "users", "collection", `{"validator":{"b":{"$exists":true},"a":1},"validationLevel":"strict","collation":{"locale":"fr"}}`, `{"_id":1,"b":1}`, `{"b":2,"_id":2}`)
	users.indexes = append(users.indexes, jsonRaw(t, `{"v":2,"key":{"_fts":"text","_ftsx":1},"name":"text","weights":{"z":1,"a":2},"default_language":"english","textIndexVersion":3}`), jsonRaw(t, `{"v":2,"key":{"b":-1,"a":1},"name":"b_a","unique":true,"hidden":true,"ns":"app.users"}`))
	f.add(t, "app", "by_name", "view", `{"viewOn":"active","pipeline":[{"$sort":{"name":1}}]}`)
	f.add(t, "app", "active", "view", `{"viewOn":"users","pipeline":[{"$match":{"a":{"$gt":1}}}]}`)
	f.add(t, "app", "system.views", "collection", ``, `{"_id":"app.active"}`)
	clustered := f.add(t, "app", "clustered", "collection", `{"clusteredIndex":{"v":2,"key":{"_id":1},"name":"_id_","unique":true},"expireAfterSeconds":{"$numberLong":"100"}}`, `{"_id":1}`)
	clustered.indexes = bson.A{jsonRaw(t, `{"v":2,"key":{"_id":1},"name":"_id_","unique":true,"clustered":true}`)}
	f.add(t, "app", "images", "collection", `{"changeStreamPreAndPostImages":{"enabled":true}}`)
	series := f.add(t, "app", "weather", "timeseries", `{"timeseries":{"timeField":"t","metaField":"m","granularity":"seconds","bucketMaxSpanSeconds":3600}}`)
	series.indexes = bson.A{jsonRaw(t, `{"v":2,"key":{"m":1,"t":1},"name":"m_1_t_1"}`)}
	f.add(t, "app", "system.buckets.weather", "collection", ``, `{"_id":{"$oid":"64b000000000000000000001"},"control":{"version":1},"data":{"t":{"0":{"$date":"2024-01-01T00:00:00Z"}}}}`)
	f.add(t, "admin", "system.version", "collection", ``, `{"_id":"featureCompatibilityVersion","version":"7.0"}`, `{"_id":"authSchema","currentVersion":5}`)
	f.add(t, "admin", "system.users", "collection", ``, `{"_id":"app.joe","user":"joe","db":"app"}`, `{"_id":"admin.root","user":"root","db":"admin"}`)
	f.add(t, "admin", "system.roles", "collection", ``, `{"_id":"app.reader","role":"reader","db":"app"}`)
	f.add(t, "admin", "system.keys", "collection", ``, `{"_id":1}`)
	f.add(t, "config", "transactions", "collection", ``)
	f.add(t, "config", "settings", "collection", ``, `{"_id":"balancer"}`)
	f.add(t, "local", "oplog.rs", "collection", `{"capped":true,"size":4096}`, oplogEntry(1, "n", "", `{}`), oplogEntry(2, "n", "", `{}`))
	f.committed = 2
}

func oplogEntry(i int, op, ns, o string) string {
	return fmt.Sprintf(`{"ts":{"$timestamp":{"t":100,"i":%d}},"t":{"$numberLong":"1"},"v":2,"op":%q,"ns":%q,"ui":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}},"o":%s,"wall":{"$date":"2024-01-01T00:00:00Z"}}`, i, op, ns, o)
}

func namespaces(t *testing.T, stream []byte) (names []string) {
	t.Helper()
	a, err := archive.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range a.Prelude().Collections {
		names = append(names, c.Namespace())
	}
	return names
}

func TestEveryKind(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	stream, said, err := dumpFake(t, f, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(said.warnings) > 0 {
		t.Errorf("warnings: %q", said.warnings)
	}
	want := strings.Fields("admin.system.users admin.system.roles admin.system.version app.clustered app.images app.users app.weather app.zlog app.active app.by_name config.settings .oplog")
	if diff := cmp.Diff(want, namespaces(t, stream)); diff != "" {
		t.Errorf("collections (-want +got):\n%s", diff)
	}
	again, _, err := dumpFake(t, f, Config{Jobs: 5})
	if err != nil || !bytes.Equal(stream, again) {
		t.Errorf("by 5 connections: %v, the same bytes: %v", err, bytes.Equal(stream, again))
	}

	to := startFake(t)
	var compared dump.Comparison
	if warnings, err := loadFake(t, to, LoadConfig{Compared: func(c dump.Comparison) { compared = c }}, stream); err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if compared.Tables != 5 || compared.Rows != 6 {
		t.Errorf("compared %+v, want 5 collections, without views and users, and their 6 documents", compared)
	}
	equalStrings(t, "create", to.sent("create"), []string{
		`app: {"create":"clustered","clusteredIndex":{"v":2,"key":{"_id":1},"name":"_id_","unique":true},"expireAfterSeconds":100}`,
		`app: {"create":"images","changeStreamPreAndPostImages":{"enabled":true}}`,
		`app: {"create":"users","validator":{"b":{"$exists":true},"a":1},"validationLevel":"strict","collation":{"locale":"fr"}}`,
		`app: {"create":"weather","timeseries":{"timeField":"t","metaField":"m","granularity":"seconds","bucketMaxSpanSeconds":3600}}`,
		`app: {"create":"zlog","capped":true,"size":4096,"max":10}`,
		`app: {"create":"active","viewOn":"users","pipeline":[{"$match":{"a":{"$gt":1}}}]}`,
		`app: {"create":"by_name","viewOn":"active","pipeline":[{"$sort":{"name":1}}]}`,
	})
	equalStrings(t, "createIndexes", slices.Sorted(slices.Values(to.sent("createIndexes"))), []string{
		`app: {"createIndexes":"users","indexes":[{"key":{"b":-1,"a":1},"name":"b_a","unique":true,"hidden":true,"collation":{"locale":"simple"}},{"key":{"_fts":"text","_ftsx":1},"name":"text","weights":{"z":1,"a":2},"default_language":"english","textIndexVersion":3,"collation":{"locale":"simple"}}],"ignoreUnknownIndexOptions":true}`,
		`app: {"createIndexes":"weather","indexes":[{"key":{"m":1,"t":1},"name":"m_1_t_1"}],"ignoreUnknownIndexOptions":true}`,
	})
	equalStrings(t, "_mergeAuthzCollections", to.sent("_mergeAuthzCollections"), []string{
		`admin: {"_mergeAuthzCollections":1,"tempUsersCollection":"admin.tempusers","tempRolesCollection":"admin.temproles","drop":false,"db":""}`,
	})
	for _, c := range []string{"users", "zlog", "system.buckets.weather", "clustered"} {
		if !slices.EqualFunc(f.collection("app", c).docs, to.collection("app", c).docs, func(a, b bson.Raw) bool { return bytes.Equal(a, b) }) {
			t.Errorf("%s: other documents, or in another order: %v", c, to.collection("app", c).docs)
		}
	}
	if to.collection("admin", "tempusers") != nil || to.collection("config", "settings") != nil {
		t.Error("more is left than was to be restored")
	}
	// Again, over what is there.
	if _, err := loadFake(t, to, LoadConfig{}, stream); !errors.Is(err, dump.ErrNotEmpty) {
		t.Errorf("over what is there: %v, want %v", err, dump.ErrNotEmpty)
	}
	to.add(t, "app", "mine", "collection", "")
	if warnings, err := loadFake(t, to, LoadConfig{Clean: true}, stream); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "app.mine") {
		t.Errorf("clean: %v, warnings %q", err, warnings)
	}
}

// Views and time series of admin are dumped as such, and not once more as the collections that the
// server has them in; and names that only a server on Windows does not take go where they came
// from.
func TestViewsOfAdminAndOddDatabases(t *testing.T) {
	f := startFake(t)
	const odd = "a*:|<>?b"
	f.add(t, odd, "c", "collection", "", `{"_id":1}`)
	f.add(t, "admin", "system.views", "collection", "", `{"_id":"admin.v","viewOn":"c","pipeline":[]}`)
	f.add(t, "admin", "c", "collection", "", `{"_id":1}`)
	f.add(t, "admin", "v", "view", `{"viewOn":"c","pipeline":[]}`)
	f.add(t, "admin", "ts", "timeseries", `{"timeseries":{"timeField":"t"}}`)
	f.add(t, "admin", "system.buckets.ts", "collection", "", `{"_id":1}`)
	f.add(t, "admin", "system.profile", "collection", "", `{"_id":1}`)
	stream, said, err := dumpFake(t, f, Config{Oplog: OplogOff, Users: UsersOff})
	if err != nil || len(said.warnings) > 0 {
		t.Fatal(err, said.warnings)
	}
	equalStrings(t, "the dump", namespaces(t, stream), []string{odd + ".c", "admin.c", "admin.ts", "admin.v"})
	to := startFake(t)
	if warnings, err := loadFake(t, to, LoadConfig{}, stream); err != nil || len(warnings) > 0 {
		t.Error(err, warnings)
	}
	equalStrings(t, "create", to.sent("create"), []string{odd + `: {"create":"c"}`, `admin: {"create":"c"}`, `admin: {"create":"ts","timeseries":{"timeField":"t"}}`, `admin: {"create":"v","viewOn":"c","pipeline":[]}`})
	// Archives of mongodump have them.
	to = startFake(t)
	theirs := archiveOf(t, []archive.Collection{{DB: "admin", Name: "system.views", Type: "collection"}, {DB: "admin", Name: "v", Type: "view", Metadata: `{"options":{"viewOn":"c","pipeline":[]},"indexes":[]}`}}, []string{`{"_id":"admin.v","viewOn":"c","pipeline":[]}`}, nil)
	if warnings, err := loadFake(t, to, LoadConfig{}, theirs); err != nil || len(warnings) > 0 {
		t.Error(err, warnings)
	}
	equalStrings(t, "create", to.sent("create"), []string{`admin: {"create":"v","viewOn":"c","pipeline":[]}`})
}

func equalStrings(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestUsersOfOneDatabase(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	for users, want := range map[Users]string{UsersAuto: "", UsersOff: "", UsersOn: "app.$admin.system.users app.$admin.system.roles app.$admin.system.version "} {
		stream, _, err := dumpFake(t, f, Config{Database: "app", Users: users, Include: []string{"app.users"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(namespaces(t, stream), " "); got != want+"app.users" {
			t.Errorf("users %s: %s", users, got)
		}
		if users != UsersOn {
			continue
		}
		to := startFake(t)
		if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
			t.Fatal(err)
		}
		equalStrings(t, "_mergeAuthzCollections", to.sent("_mergeAuthzCollections"), []string{
			`admin: {"_mergeAuthzCollections":1,"tempUsersCollection":"admin.tempusers","tempRolesCollection":"admin.temproles","drop":false,"db":"app"}`,
		})
		for _, insert := range to.sent("insert") {
			if strings.Contains(insert, "root") {
				t.Errorf("another database's user: %s", insert)
			}
		}
	}
	if stream, _, err := dumpFake(t, f, Config{Users: UsersOff, Oplog: OplogOff}); err != nil || strings.Contains(strings.Join(namespaces(t, stream), " "), "system.") {
		t.Errorf("users off: %v, %q", err, namespaces(t, stream))
	}
}

// entriesDuringTheDump has others write while the documents are read.
func entriesDuringTheDump(t *testing.T, f *fake, entries ...string) {
	f.handle("find", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("find").StringValueOK(); name == "users" {
			oplog := f.collection("local", "oplog.rs")
			for _, e := range entries {
				oplog.docs = append(oplog.docs, jsonRaw(t, e))
			}
			entries = nil
		}
		return nil
	})
}

func TestOplogIsRecordedAndReplayed(t *testing.T) {
	f := startFake(t)
	f.set, f.batch = "rs0", 1
	fillFake(t, f)
	session := `"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"7"},`
	inTransaction := func(entry string) string { return "{" + session + entry[1:] }
	entriesDuringTheDump(
		t, f,
		oplogEntry(3, "i", "app.users", `{"_id":3}`),
		inTransaction(oplogEntry(4, "c", "admin.$cmd", `{"applyOps":[{"op":"i","ns":"app.users","o":{"_id":4}}],"partialTxn":true}`)),
		oplogEntry(5, "u", "app.users", `{"$v":2,"diff":{"u":{"b":7}}}`),
		inTransaction(oplogEntry(6, "c", "admin.$cmd", `{"applyOps":[{"op":"d","ns":"app.users","o":{"_id":1}}]}`)),
		oplogEntry(7, "c", "app.$cmd", `{"createIndexes":"users","v":2,"key":{"c":1},"name":"c_1"}`),
		oplogEntry(8, "c", "app.$cmd", `{"commitIndexBuild":"users","indexes":[{"v":2,"key":{"d":1},"name":"d_1"}]}`),
		oplogEntry(9, "c", "app.$cmd", `{"dropIndexes":"users","index":"b_a"}`),
		oplogEntry(10, "c", "app.$cmd", `{"collMod":"users","index":{"name":"c_1","hidden":true},"validationLevel":"off"}`),
		oplogEntry(11, "c", "app.$cmd", `{"create":"new","idIndex":{"v":2},"recordIdsReplicated":true}`),
		oplogEntry(12, "u", "config.transactions", `{"x":1}`),
	)
	stream, said, err := dumpFake(t, f, Config{Oplog: OplogOn})
	if err != nil || len(said.warnings) > 0 {
		t.Fatal(err, said.warnings)
	}
	to := startFake(t)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	ts := func(i int) string { return fmt.Sprintf(`"ts":{"$timestamp":{"t":100,"i":%d}},"t":1,"v":2,`, i) }
	applied := func(op string) string { return `admin: {"applyOps":[{` + op + `}],"bypassDocumentValidation":true}` }
	equalStrings(t, "applyOps", to.sent("applyOps"), []string{
		applied(ts(3) + `"op":"i","ns":"app.users","o":{"_id":3}`),
		applied(`"b":true,` + ts(5) + `"op":"u","ns":"app.users","o":{"$v":2,"diff":{"u":{"b":7}}}`),
		applied(`"op":"i","ns":"app.users","o":{"_id":4}`),
		applied(`"op":"d","ns":"app.users","o":{"_id":1}`),
		applied(ts(10) + `"op":"c","ns":"app.$cmd","o":{"collMod":"users","validationLevel":"off"}`),
		applied(ts(11) + `"op":"c","ns":"app.$cmd","o":{"create":"new","idIndex":{"v":2}}`),
	})
	if got := strings.Join(to.sent("createIndexes"), " "); !strings.Contains(got, `{"key":{"c":1},"name":"c_1","hidden":true,"collation":{"locale":"simple"}},{"key":{"d":1},"name":"d_1","collation":{"locale":"simple"}}]`) || strings.Contains(got, "b_a") {
		t.Errorf("indexes of users: %s", got)
	}
	// Less than all, or elsewhere: without the oplog, and that is said.
	for _, cfg := range []LoadConfig{{Include: []string{"app.users"}}, {From: []string{"app.*"}, To: []string{"copy.*"}}} {
		to := startFake(t)
		warnings, err := loadFake(t, to, cfg, stream)
		if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], "oplog is not replayed") || !strings.Contains(warnings[1], "users and roles are left out") || len(to.sent("applyOps")) > 0 {
			t.Errorf("%+v: %v, warnings %q, %q", cfg, err, warnings, to.sent("applyOps"))
		}
	}
}

func TestOplogFailures(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(f *fake)
		want string
	}{
		"renamed": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "c", "app.$cmd", `{"renameCollection":"app.users","to":"app.people"}`))
		}, "app.users was renamed to app.people during the dump"},
		"dropped": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "c", "app.$cmd", `{"drop":"images"}`))
		}, "app.images was dropped during the dump"},
		"rolled over before it is read": {func(f *fake) {
			f.handle("find", func(_ string, command bson.Raw) any {
				if name, _ := command.Lookup("find").StringValueOK(); name == "users" {
					f.collection("local", "oplog.rs").docs = []bson.Raw{jsonRaw(t, oplogEntry(9, "n", "", `{}`))}
				}
				return nil
			})
		}, "the oplog was overwritten during the dump"},
		"rolled over while it is read": {func(f *fake) {
			f.handle("find", func(_ string, command bson.Raw) any {
				if direction, ok := command.Lookup("sort", "$natural").AsInt64OK(); ok && direction == 1 {
					return f.cursor("local", "oplog.rs", []bson.Raw{jsonRaw(t, oplogEntry(9, "n", "", `{}`))})
				}
				return nil
			})
		}, "the oplog was overwritten during the dump"},
		"view changed": {func(f *fake) {
			entriesDuringTheDump(t, f, `{"o2":{"_id":"app.active"},`+oplogEntry(3, "u", "app.system.views", `{"$v":2,"diff":{"u":{"viewOn":"zlog"}}}`)[1:])
		}, "the view app.active was changed during the dump"},
		"view dropped": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "d", "app.system.views", `{"_id":"app.active"}`))
		}, "app.active was dropped during the dump"},
		"time series made": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "i", "app.system.views", `{"_id":"app.heat","viewOn":"system.buckets.heat","pipeline":[]}`))
		}, "the time series app.heat was made during the dump"},
		"what cannot be repeated": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "c", "app.$cmd", `{"upgradeDowngradeViewlessTimeseries":"weather"}`))
		}, "what was done to app during the dump cannot be repeated: upgradeDowngradeViewlessTimeseries"},
		"what was not listed": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "i", "app.late", `{"_id":1}`))
			f.handle("listIndexes", func(string, bson.Raw) any {
				if f.collection("app", "late") == nil {
					f.add(t, "app", "late", "collection", "")
				}
				return nil
			})
		}, "app.late was written to during the dump, and the server did not list it when the dump began"},
		"a time series that was not listed": {func(f *fake) {
			entriesDuringTheDump(t, f, oplogEntry(3, "i", "app.system.buckets.late", `{"_id":1}`))
			f.handle("listIndexes", func(string, bson.Raw) any {
				if f.collection("app", "late") == nil {
					f.add(t, "app", "late", "timeseries", `{"timeseries":{"timeField":"t"}}`)
					f.add(t, "app", "system.buckets.late", "collection", "")
				}
				return nil
			})
		}, "app.late was written to during the dump, and the server did not list it when the dump began"},
		"a transaction whose beginning is gone": {func(f *fake) {
			f.collection("config", "transactions").docs = []bson.Raw{jsonRaw(t, `{"state":"inProgress","startOpTime":{"ts":{"$timestamp":{"t":99,"i":1}}}}`)}
		}, "look for transactions under way: one began before the oldest entry of the oplog"},
		"resharding":        {func(f *fake) { f.add(t, "config", "reshardingOperations", "collection", "") }, "a collection is being resharded"},
		"nothing committed": {func(f *fake) { f.committed = 0 }, "the replica set has nothing yet that a majority"},
		"no right": {func(f *fake) {
			f.handle("find", func(db string, _ bson.Raw) any {
				if db == "local" {
					return failure(13, "not authorized on local")
				}
				return nil
			})
		}, "record the oplog: read local.oplog.rs: not authorized"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			f.set = "rs0"
			fillFake(t, f)
			test.do(f)
			if _, _, err := dumpFake(t, f, Config{Oplog: OplogOn}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want: … %s …", err, test.want)
			}
		})
	}
}

// What is written or under way when the dump begins, and not there to be read yet, is in its oplog.
func TestOplogBeginsEarlyEnough(t *testing.T) {
	for name, early := range map[string]func(f *fake){
		"a transaction": func(f *fake) {
			f.collection("config", "transactions").docs = []bson.Raw{jsonRaw(t, `{"state":"prepared","startOpTime":{"ts":{"$timestamp":{"t":100,"i":1}}}}`)}
		},
		"a write that a majority does not have": func(f *fake) { f.committed = 1 },
		"a majority's time before the oldest entry": func(f *fake) {
			f.collection("local", "oplog.rs").docs = []bson.Raw{jsonRaw(t, oplogEntry(5, "n", "", `{}`)), jsonRaw(t, oplogEntry(6, "n", "", `{}`))}
		},
		"a majority's time between two entries": func(f *fake) {
			f.collection("local", "oplog.rs").docs = []bson.Raw{jsonRaw(t, oplogEntry(1, "n", "", `{}`)), jsonRaw(t, oplogEntry(3, "n", "", `{}`))}
		},
	} {
		f := startFake(t)
		f.set = "rs0"
		fillFake(t, f)
		early(f)
		stream, _, err := dumpFake(t, f, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(t, stream)["oplog"]; len(got) != 4 { // metadata, end, two entries
			t.Errorf("%s: oplog: %q", name, got)
		}
	}
}

// offerSnapshots has a fake read at one time, as a replica set does.
func offerSnapshots(f *fake, find func(at bson.RawValue, command bson.Raw) any) {
	f.handle("find", func(db string, command bson.Raw) any {
		if level, _ := command.Lookup("readConcern", "level").StringValueOK(); level != "snapshot" {
			return nil
		}
		at, err := command.LookupErr("readConcern", "atClusterTime")
		if err == nil {
			return find(at, command)
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{
			{Key: "id", Value: int64(0)}, {Key: "ns", Value: db + ".x"}, {Key: "firstBatch", Value: bson.A{}}, {Key: "atClusterTime", Value: bson.Timestamp{T: 50, I: 1}},
		}}}
	})
}

func TestSnapshot(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	read := 0
	offerSnapshots(f, func(at bson.RawValue, _ bson.Raw) any {
		if ts, _, _ := at.TimestampOK(); ts != 50 {
			t.Errorf("read at %v", at)
		}
		read++
		return nil
	})
	_, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff})
	if err != nil {
		t.Fatal(err)
	}
	if read != 4 || len(said.warnings) != 1 || !strings.Contains(said.warnings[0], "capped collections") || !strings.Contains(said.warnings[0], "app.zlog") {
		t.Errorf("%d collections read at one time, want 4; warnings %q", read, said.warnings)
	}
	// The server's past is gone.
	offerSnapshots(f, func(bson.RawValue, bson.Raw) any {
		return failure(239, "Read timestamp is older than the oldest available timestamp")
	})
	if _, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff}); !errors.Is(err, ErrTooOld) {
		t.Errorf("%v, want %v", err, ErrTooOld)
	}
	// A server that has no such thing: dumped all the same, with a warning that says so.
	f.handle("find", nil)
	if _, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff}); err != nil || len(said.warnings) != 1 || !strings.Contains(said.warnings[0], "not of one moment") {
		t.Errorf("%v, warnings %q", err, said.warnings)
	}
	if _, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff}); err != nil || len(said.warnings) != 0 {
		t.Errorf("off: %v, warnings %q", err, said.warnings)
	}
}

func TestBalancerAndOrderThroughMongos(t *testing.T) {
	f := startFake(t)
	f.msg = "isdbgrid"
	fillFake(t, f)
	f.handle("balancerStatus", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "mode", Value: "full"}}
	})
	_, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff})
	if err != nil || len(said.warnings) != 2 || !strings.Contains(said.warnings[0], "balancer is on") {
		t.Errorf("%v, warnings %q", err, said.warnings)
	}
	sorted := 0
	for _, find := range f.sent("find") {
		if strings.Contains(find, `"sort":{"_id":1}`) {
			sorted++
			if strings.Contains(find, "zlog") || strings.Contains(find, "buckets") {
				t.Errorf("%s", find)
			}
		}
	}
	if sorted != 3 {
		t.Errorf("%d collections in the order of _id, want 3: %q", sorted, f.sent("find"))
	}
	if _, _, err := dumpFake(t, f, Config{Oplog: OplogOn}); err == nil || !strings.Contains(err.Error(), "through a mongos there is none") {
		t.Errorf("oplog on: %v", err)
	}
}

// A cursor that is killed, a server that goes away and one that is replaced midway end the dump
// with an error, and what was written is not whole.
func TestReadFailsMidway(t *testing.T) {
	for name, test := range map[string]struct {
		answer any
		want   string
	}{
		"cursor killed":        {failure(43, "cursor id 1 not found"), "read app."},
		"collection dropped":   {failure(175, "collection dropped"), "read app."},
		"primary stepped down": {failure(11602, "operation was interrupted"), "read app."},
		"connection lost":      {errHangUp, "read app."},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			f.batch = 1
			fillFake(t, f)
			f.handle("find", func(_ string, command bson.Raw) any {
				if coll, _ := command.Lookup("find").StringValueOK(); coll == "users" {
					f.on["getMore"] = func(string, bson.Raw) any { return test.answer }
				}
				return nil
			})
			if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want: … %s …", err, test.want)
			}
		})
	}
}

func TestCollectionIsReplacedMidway(t *testing.T) {
	for name, do := range map[string]func(f *fake){
		"dropped": func(f *fake) {
			f.collections = slices.DeleteFunc(f.collections, func(c *fakeCollection) bool { return c.name == "images" })
		},
		"made anew": func(f *fake) { f.collection("app", "images").uuid = 99 },
	} {
		f := startFake(t)
		fillFake(t, f)
		f.handle("find", func(_ string, command bson.Raw) any {
			if name, _ := command.Lookup("find").StringValueOK(); name == "users" {
				do(f)
			}
			return nil
		})
		if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "app.images was dropped") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadFailures(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(command string, answer any) func(to *fake) {
		return func(to *fake) { to.on[command] = func(string, bson.Raw) any { return answer } }
	}
	refused := bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: 1}, {Key: "code", Value: 2}, {Key: "errmsg", Value: "bad value"}}}}}
	for name, test := range map[string]struct {
		do   func(to *fake)
		want string
	}{
		"create": {refuse("create", failure(72, "bad option")), "restore: the server refuses 5 collections and 2 views: app.clustered: create: "},
		"refused document": {func(to *fake) {
			to.on["insert"] = func(_ string, command bson.Raw) any {
				if name, _ := command.Lookup("insert").StringValueOK(); name == "users" {
					return refused
				}
				return nil
			}
		}, `restore: app.users: insert the document with _id {"$numberInt":"2"}: `},
		"count":   {refuse("count", bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 7}}), "it holds 7 documents after 0 were inserted"},
		"indexes": {refuse("createIndexes", failure(85, "conflict")), "restore: the server refuses 3 indexes: app.users: create index b_a: conflict\napp.users: create index text: conflict\napp.weather: create index m_1_t_1: conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			to := startFake(t)
			test.do(to)
			_, err := loadFake(t, to, LoadConfig{}, stream)
			left := dump.HoldsPart
			if strings.Contains(test.want, "the server refuses") {
				left = dump.AllElse
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasSuffix(err.Error(), "; "+left) {
				t.Errorf("%v, want: %s …", err, test.want)
			}
		})
	}
	if _, err := loadFake(t, startFake(t), LoadConfig{}, stream[:len(stream)-30]); !errors.Is(err, dump.ErrTruncated) {
		t.Errorf("a part: %v, want %v", err, dump.ErrTruncated)
	}
}

// Buckets of mixed schema are allowed where the server asks for that.
func TestMixedSchema(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	buckets := f.collection("app", "system.buckets.weather")
	buckets.docs = append(buckets.docs, jsonRaw(t, `{"_id":2}`), jsonRaw(t, `{"_id":3}`))
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	to := startFake(t)
	to.on["insert"] = func(db string, command bson.Raw) any {
		name, _ := command.Lookup("insert").StringValueOK()
		if name != "system.buckets.weather" || document.Has(command, "bypassDocumentValidation") {
			return nil
		}
		to.on["insert"] = nil
		c := to.collection("app", name)
		c.docs = append(c.docs, command.Lookup("documents", "0").Document())
		return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: 1}, {Key: "code", Value: server.CodeMixedSchema}, {Key: "errmsg", Value: "mixed schema"}}}}}
	}
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	if got := to.collection("app", "system.buckets.weather").docs; len(got) != 3 || len(to.sent("collMod")) != 1 {
		t.Errorf("%d buckets, want 3; %q", len(got), to.sent("collMod"))
	}
}

func TestDumpIsCancelledWhileTheServerIsSilent(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	silent := make(chan struct{})
	f.handle("find", func(string, bson.Raw) any { cancel(); <-silent; return errHangUp })
	src, err := NewSource(Config{Server: f.server(), Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = src.Dump(ctx, &b)
	close(silent)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

package mongo

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

func rehearse(t *testing.T, at Server, cfg LoadConfig, stream []byte) (dump.Rehearsal, error) {
	t.Helper()
	cfg.Server = at
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l.Rehearse(t.Context(), bytes.NewReader(stream))
}

// changes are the commands of a server that change something.
func changes(f *fake) (all []string) {
	for _, name := range []string{"create", "drop", "insert", "update", "createIndexes", "collMod", "applyOps", "shardCollection", "_mergeAuthzCollections"} {
		all = append(all, f.sent(name)...)
	}
	return all
}

// A rehearsal says what would be loaded and where, and what would be dropped, and does none of it.
func TestRehearse(t *testing.T) {
	stream := archiveOf(t, []archive.Collection{
		{DB: "app", Name: "a", Type: "collection"},
		{DB: "app", Name: "a.\"B\" é", Type: "collection"},
		{DB: "app", Name: "empty", Type: "collection"},
		{DB: "app", Name: "seen", Type: "view", Metadata: `{"options":{"viewOn":"a","pipeline":[]},"indexes":[]}`},
	}, numbered(1000), numbered(3), nil, nil)
	to := startFake(t)
	to.add(t, "app", "a", "collection", "", `{"_id":1}`)
	found, err := rehearse(t, to.server(), LoadConfig{Clean: true}, stream)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range found.Tables {
		names = append(names, table.Name)
	}
	equalStrings(t, "tables", names, []string{"app.a", `app.a."B" é`, "app.empty"})
	if found.Tables[0].Rows != 1000 || len(found.Bytes) != 3 || found.Bytes[0] < 10_000 || found.Bytes[1] == 0 || found.Bytes[0] <= found.Bytes[1] {
		t.Errorf("%+v, bytes %d", found.Tables, found.Bytes)
	}
	equalStrings(t, "drops", found.Target.Drops, []string{"collection app.a"})
	equalStrings(t, "versions", []string{found.From, found.To}, []string{"MongoDB 7.0.5", "MongoDB 7.0.5"})
	if len(found.Obstacles)+len(found.Missing) > 0 || found.Target.Server != to.addr {
		t.Errorf("%+v", found)
	}
	found, err = rehearse(t, to.server(), LoadConfig{}, stream)
	if err != nil || len(found.Obstacles) != 1 || !errors.Is(found.Obstacles[0], dump.ErrNotEmpty) {
		t.Errorf("where the target is not empty: %+v, %v", found, err)
	}
	found, err = rehearse(t, to.server(), LoadConfig{Include: []string{"app.e*"}}, stream)
	if err != nil || len(found.Obstacles) > 0 || len(found.Tables) != 1 || found.Tables[0].Name != "app.empty" {
		t.Errorf("of a part: %+v, %v", found, err)
	}
	if sent := changes(to); len(sent) > 0 {
		t.Errorf("a rehearsal has sent %q", sent)
	}
}

// What would end a load before it begins is an obstacle, also several at once, and the archive is
// read to its end all the same.
func TestObstacles(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	mongos := startFake(t)
	mongos.msg = "isdbgrid"
	full := startFake(t)
	full.add(t, "app", "users", "collection", "")
	full.handle("connectionStatus", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "authInfo", Value: bson.D{
			{Key: "authenticatedUsers", Value: bson.A{bson.D{{Key: "user", Value: "ann"}, {Key: "db", Value: "admin"}}}},
			{Key: "authenticatedUserPrivileges", Value: bson.A{bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: "other"}, {Key: "collection", Value: ""}}}, {Key: "actions", Value: bson.A{"find"}}}}},
		}}}
	})
	for name, test := range map[string]struct {
		to   *fake
		cfg  LoadConfig
		want []error
	}{
		"oplog through a mongos": {mongos, LoadConfig{}, []error{ErrNoReplay}},
		"nothing selected":       {startFake(t), LoadConfig{Include: []string{"shop.*"}}, []error{ErrNothingSelected}},
		"not empty, no rights":   {full, LoadConfig{}, []error{dump.ErrNotEmpty, ErrNoRight}},
		"no right to drop":       {full, LoadConfig{Clean: true}, []error{ErrUndroppable, ErrNoRight}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := rehearse(t, test.to.server(), test.cfg, stream)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !slices.ContainsFunc(found.Obstacles, func(err error) bool { return errors.Is(err, want) }) {
					t.Errorf("%v is not among %q", want, found.Obstacles)
				}
			}
			if _, err := rehearse(t, test.to.server(), test.cfg, stream[:len(stream)-20]); !errors.Is(err, dump.ErrTruncated) {
				t.Errorf("of an archive that is cut off: %v", err)
			}
			if _, err := loadFake(t, test.to, test.cfg, stream); err == nil || errors.As(err, new(*dump.PartialError)) {
				t.Errorf("the load: %v", err)
			}
			if sent := changes(test.to); len(sent) > 0 {
				t.Errorf("it has sent %q", sent)
			}
		})
	}
}

// What the target's version does not have is named, by its feature compatibility version where that
// is below.
func TestWhatTheTargetLacks(t *testing.T) {
	stream := archiveOf(t, []archive.Collection{
		{DB: "app", Name: "c", Type: "collection", Metadata: `{"options":{"clusteredIndex":{"key":{"_id":1},"unique":true}},"indexes":[]}`},
		{DB: "app", Name: "w", Type: "collection", Metadata: `{"options":{},"indexes":[{"v":2,"key":{"a":1,"$**":1},"name":"w"}]}`},
	}, nil, nil)
	for version, want := range map[string][]string{
		"5.0.9": {
			"clustered collections, which MongoDB has since 5.3, and the server is 5.0.9: app.c",
			"wildcard indexes with other fields, which MongoDB has since 7.0, and the server is 5.0.9: app.w",
		},
		"6.0.1": {"wildcard indexes with other fields, which MongoDB has since 7.0, and the server is 6.0.1: app.w"},
		"7.0.5": nil,
		"7.0.6": {"wildcard indexes with other fields, which MongoDB has since 7.0, and the server's feature compatibility version is 6.0: app.w"},
	} {
		to := startFake(t)
		to.version = version
		if version == "7.0.6" {
			to.handle("getParameter", func(string, bson.Raw) any {
				return bson.D{{Key: "ok", Value: 1}, {Key: "featureCompatibilityVersion", Value: bson.D{{Key: "version", Value: "6.0"}}}}
			})
		}
		found, err := rehearse(t, to.server(), LoadConfig{}, stream)
		if err != nil {
			t.Fatal(err)
		}
		equalStrings(t, version, found.Missing, want)
	}
}

// A rehearsal on a real server says what a load then does.
func TestRehearseOnAServer(t *testing.T) {
	db := newTestDB(t)
	stream := indexed(t, 300, 0, 2)
	cfg := LoadConfig{Database: db.name}
	found, err := rehearse(t, db.server(t), cfg, stream)
	if err != nil || len(found.Obstacles) > 0 || found.Tables.Rows() != 302 || found.Target.Database != db.name {
		t.Fatalf("%+v, %v", found, err)
	}
	if names, err := db.client.Database(db.name).ListCollectionNames(t.Context(), bson.D{}); err != nil || len(names) > 0 {
		t.Errorf("there is %q now, %v", names, err)
	}
	cfg.Server = db.server(t)
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Error(err)
	}
	if found, err = rehearse(t, db.server(t), cfg, stream); err != nil || len(found.Obstacles) != 1 || !errors.Is(found.Obstacles[0], dump.ErrNotEmpty) {
		t.Errorf("%+v, %v", found, err)
	}
	if err := l.Reach(t.Context()); err != nil {
		t.Error(err)
	}
}

// FerretDB has no views and no time series, whatever version it says that it is.
func TestWhatFerretDBLacks(t *testing.T) {
	if !isFerretV1(t) {
		t.Skip("for FerretDB")
	}
	f := startFake(t)
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	db := newTestDB(t)
	found, err := rehearse(t, db.server(t), LoadConfig{Database: db.name}, stream)
	if err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "missing", found.Missing, []string{
		"views, which FerretDB does not have: " + db.name + ".active, " + db.name + ".by_name",
		"time series, which FerretDB does not have: " + db.name + ".weather",
	})
	if !strings.HasPrefix(found.To, "FerretDB, as MongoDB ") {
		t.Errorf("it is %s", found.To)
	}
}

// A server that is starting is worth waiting for, and one that is another is not.
func TestReach(t *testing.T) {
	reached := func(uri string, within time.Duration) error {
		l, err := NewLoader(LoadConfig{Server: Server{URI: fmt.Sprintf("%sserverSelectionTimeoutMS=%d", uri, within.Milliseconds()), ConnectTimeout: within}})
		if err != nil {
			t.Fatal(err)
		}
		return l.Reach(t.Context())
	}
	there, member, headless, pending := startFake(t), startFake(t), startFake(t), startFake(t)
	member.set = "rs0"
	headless.set, headless.primary = "rs0", "127.0.0.1:1"
	pending.hello = func(d bson.D) bson.D { return append(d, bson.E{Key: "isreplicaset", Value: true}) }
	closed := hangUpAt(t, func(net.Conn) {})
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // whose connections nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, test := range []struct {
		what, uri string
		waits     bool
	}{
		{"nobody listens", "mongodb://" + nobody.Addr().String() + "/?", true},
		{"no such name", "mongodb://nobody.invalid/?", true},
		{"no such service record", "mongodb+srv://nobody.invalid/?", true},
		{"no such socket", "mongodb://%2Ftmp%2Fnobody%2Fmongodb-27017.sock/?", true},
		{"no answer", "mongodb://" + silent.Addr().String() + "/?", true},
		{"hangs up", "mongodb://" + closed + "/?", true},
		{"no primary", "mongodb://" + headless.addr + "/?replicaSet=rs0&", true},
		{"not initiated", "mongodb://" + pending.addr + "/?replicaSet=rs0&", true},
		{"of another set", "mongodb://" + member.addr + "/?replicaSet=other&", false},
		{"of no set", "mongodb://" + there.addr + "/?replicaSet=rs0&", false},
		{"not trusted", "mongodb://" + web.Listener.Addr().String() + "/?tls=true&", false},
	} {
		within := 300 * time.Millisecond
		if !test.waits { // what is said has to be heard in that time
			within = 5 * time.Second
		}
		err := reached(test.uri, within)
		if waits := errors.As(err, new(*dump.NotReadyError)); err == nil || waits != test.waits {
			t.Errorf("%s: %v; worth waiting: %v", test.what, err, waits)
		}
	}
	if err := reached("mongodb://"+there.addr+"/?", 5*time.Second); err != nil {
		t.Error(err)
	}
}

// The parts of an archive that a load does without are what it passes over.
func TestWants(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	var parts dump.Parts
	for item, err := range Items(bytes.NewReader(stream)) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Contents != nil {
			parts = item.Contents.Parts
		}
	}
	const (
		users = "rows admin.system.users rows admin.system.roles rows admin.system.version "
		every = "rows app.clustered rows app.images rows app.users rows app.system.buckets.weather rows app.zlog rows app.active rows app.by_name"
	)
	for name, test := range map[string]struct {
		cfg  LoadConfig
		want string
	}{
		"all":       {LoadConfig{}, users + every + " after"},
		"one":       {LoadConfig{Include: []string{"app.users"}}, "rows app.users"},
		"series":    {LoadConfig{Include: []string{"app.w*"}}, "rows app.system.buckets.weather"},
		"all but":   {LoadConfig{Exclude: []string{"app.*"}}, ""},
		"into one":  {LoadConfig{Database: "app"}, users + every},
		"elsewhere": {LoadConfig{From: []string{"app.*"}, To: []string{"old.*"}}, every},
	} {
		l, err := NewLoader(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []string
		for _, p := range parts {
			if l.Wants(p) {
				wanted = append(wanted, strings.TrimSpace(string(p.Kind)+" "+p.Name))
			}
		}
		if got, want := strings.Join(wanted, " "), strings.TrimSpace("definitions "+test.want); got != want {
			t.Errorf("%s: wanted are %s, want %s", name, got, want)
		}
	}
}

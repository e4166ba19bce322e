package mongo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// From 8.3 on a time series has its buckets under its own name. A dump of either kind goes into a
// server of either.
func TestTimeSeriesAcrossVersions(t *testing.T) {
	for _, from := range []string{"8.2.9", "8.3.0-rc1"} {
		f := startFake(t)
		f.version = from
		fillFake(t, f)
		if from >= "8.3" {
			f.collection("app", "weather").docs = f.collection("app", "system.buckets.weather").docs
			f.collection("app", "system.buckets.weather").name = "gone"
		}
		stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff, Include: []string{"app.weather"}})
		if err != nil {
			t.Fatal(err)
		}
		finds := strings.Join(f.sent("find"), " ")
		if raw := strings.Contains(finds, `"find":"weather"`) && strings.Contains(finds, `"rawData":true`); raw != (from >= "8.3") {
			t.Errorf("%s: %s", from, finds)
		}
		for _, version := range []string{"7.0.5", "8.3.1"} {
			to := startFake(t)
			to.version = version
			if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
				t.Fatal(err)
			}
			name := "system.buckets.weather"
			if version >= "8.3" {
				name = "weather"
			}
			inserts := to.sent("insert")
			if len(inserts) != 1 || len(to.collection("app", name).docs) != 1 || strings.Contains(inserts[0], `"rawData":true`) != (version >= "8.3") {
				t.Errorf("from %s into %s: %q", from, version, inserts)
			}
		}
	}
}

// A server puts the present in the place of an empty timestamp, unless it knows the word against
// that, or is told again.
func TestEmptyTimestamps(t *testing.T) {
	f := startFake(t)
	empty := `{"_id":1,"ts":{"$timestamp":{"t":0,"i":0}}}`
	f.add(t, "app", "marks", "collection", "", empty, `{"_id":{"$timestamp":{"t":0,"i":0}},"in":{"ts":{"$timestamp":{"t":0,"i":0}}}}`)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for version, knows := range map[string]bool{"5.0.28": false, "6.0.17": true, "6.1.20": false, "7.0.5": false, "7.0.13": true, "7.3.4": false, "8.0.0": true} {
		to := startFake(t)
		to.version = version
		if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(to.sent("insert")[0], `"bypassEmptyTsReplacement":true`); got != knows {
			t.Errorf("%s: told: %v", version, got)
		}
		updates := to.sent("update")
		want := `"updates":[{"q":{"_id":1},"u":[{"$replaceRoot":{"newRoot":{"$literal":` + empty + `}}}]}]`
		if knows != (len(updates) == 0) || !knows && (len(updates) != 1 || !strings.Contains(updates[0], want)) {
			t.Errorf("%s: %q", version, updates)
		}
	}
}

// What a dump leaves out: what an aggregation under way will drop, and what is the server's own.
func TestNotDumped(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "tmp.agg_out.1", "collection", `{"temp":true}`, `{"_id":1}`)
	f.add(t, "app", "kept", "collection", "", `{"_id":1}`)
	f.add(t, "__mdb_internal_search", "x", "collection", "", `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{})
	if err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "dumped", namespaces(t, stream), []string{"app.kept"})
}

// The built-in role restore may write and not count.
func TestRestoreMayNotCount(t *testing.T) {
	f := startFake(t)
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	to := startFake(t)
	to.handle("count", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not authorized on app") })
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Error(err)
	}
}

// A dump may be read from a secondary; a restore goes to the primary all the same.
func TestReadPreferenceIsForReading(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoader(LoadConfig{Server: Server{URI: f.server().URI + "&readPreference=secondary&serverSelectionTimeoutMS=2000"}, Clean: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Error(err)
	}
}

// Atlas's free and shared tiers show nobody admin and the oplog, and have no cursors without a
// bound.
func TestAtlasProxy(t *testing.T) {
	atlas := func() *fake {
		f := startFake(t)
		f.set = "atlas-shard-0"
		f.handle("atlasVersion", func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}} })
		const codeAtlas = 8000
		closed := func(db string, command bson.Raw) any {
			if db == "admin" || db == "local" || document.Has(command, "noCursorTimeout") {
				return failure(codeAtlas, "not in this tier")
			}
			return nil
		}
		for _, command := range []string{"find", "listCollections", "drop", "create", "_mergeAuthzCollections", "applyOps"} {
			f.handle(command, closed)
		}
		return f
	}
	f := atlas()
	fillFake(t, f)
	stream, _, err := dumpFake(t, f, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(namespaces(t, stream), " "); strings.Contains(got, "admin.") || !strings.Contains(got, "app.users") {
		t.Errorf("dumped: %s", got)
	}
	own := startFake(t)
	fillFake(t, own)
	if stream, _, err = dumpFake(t, own, Config{}); err != nil {
		t.Fatal(err)
	}
	if warnings, err := loadFake(t, atlas(), LoadConfig{}, stream); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "users and roles are left out") {
		t.Errorf("restored from elsewhere: %v, %q", err, warnings)
	}
}

// A cursor that waits for its turn would be ended with its session, if that were not kept alive.
func TestSessionsAreKeptAlive(t *testing.T) {
	f := startFake(t)
	f.batch = 1
	large := fmt.Sprintf(`{"text":%q}`, strings.Repeat("a", readAhead/4)) // some wait until others are written
	f.add(t, "app", "a", "collection", "", slices.Repeat([]string{large}, 6)...)
	f.add(t, "app", "b", "collection", "", `{"_id":1}`)
	kept := make(chan struct{})
	var session bson.Raw
	f.handle("find", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("find").StringValueOK(); name == "a" {
			session = slices.Clone(command.Lookup("lsid").Document())
		}
		return nil
	})
	var once bool
	f.handle("refreshSessions", func(_ string, command bson.Raw) any {
		if id, ok := command.Lookup("refreshSessions", "0").DocumentOK(); ok && bytes.Equal(id, session) && !once {
			once = true
			close(kept)
		}
		return nil
	})
	src, err := NewSource(Config{Server: f.server(), Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	src.refresh = time.Millisecond
	var more []string
	f.handle("getMore", func(_ string, command bson.Raw) any {
		name, _ := command.Lookup("collection").StringValueOK()
		if lsid, _ := command.Lookup("lsid").DocumentOK(); name == "a" && !bytes.Equal(lsid, session) {
			more = append(more, command.String())
		}
		return nil
	})
	var b bytes.Buffer
	err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) {
		<-kept
		return b.Write(p)
	}))
	if err != nil || len(more) > 0 {
		t.Errorf("%v; outside of the session: %q", err, more)
	}
}

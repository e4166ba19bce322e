package mongo

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// worstURI is what a URI may say, each at its worst, and what must change nothing.
const worstURI = "timeoutMS=1&w=1&journal=false&wtimeoutMS=1&readConcernLevel=available&retryReads=false&retryWrites=false&maxPoolSize=1&minPoolSize=0&maxConnecting=1&maxIdleTimeMS=1" +
	"&compressors=zlib,snappy,zstd&zlibCompressionLevel=9&localThresholdMS=0&heartbeatFrequencyMS=500&serverMonitoringMode=poll&readPreference=secondaryPreferred&appName=%0A"

// A dump and a restore by a URI at its worst are those of a plain one.
func TestSettingsOfTheURI(t *testing.T) {
	db, plain, worst := newTestDB(t), newTestDB(t), newTestDB(t)
	var docs []any
	for i := range 3000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i}, {Key: "text", Value: strings.Repeat("x", i%700)}})
	}
	db.insert(t, "a", docs...)
	db.insert(t, "b", docs[:7]...)
	badly := func(s Server) Server { return Server{URI: s.URI + "&" + worstURI} }
	read := func(server Server, name string) []byte {
		src, err := NewSource(Config{Server: server, Database: name})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := src.Dump(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	stream := read(db.server(t), db.name)
	if !bytes.Equal(stream, read(badly(db.server(t)), db.name)) {
		t.Error("by a URI at its worst it is another dump")
	}
	for _, to := range []*testDB{plain, worst} {
		server := to.server(t)
		if to == worst {
			server = badly(server)
		}
		l, err := NewLoader(LoadConfig{Server: server, Database: to.name})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
	}
	if documentsOf(t, read(plain.server(t), plain.name)) != documentsOf(t, read(worst.server(t), worst.name)) {
		t.Error("by a URI at its worst it is another restore")
	}
}

// A restore hears of each insert whether it was made: by a URI that would have it otherwise there
// is none.
func TestUnacknowledgedWrites(t *testing.T) {
	for _, option := range []string{"w=0", "readConcernLevel=bogus"} {
		server := Server{URI: "mongodb://127.0.0.1:1/?" + option}
		if _, err := NewLoader(LoadConfig{Server: server}); !errors.As(err, new(*dump.AddressError)) {
			t.Errorf("%s: restore: %v", option, err)
		}
		if _, err := NewSource(Config{Server: server}); !errors.As(err, new(*dump.AddressError)) {
			t.Errorf("%s: dump: %v", option, err)
		}
	}
}

// A mongod whose settings are at their worst does as the manual says that it does with commands
// which do not say otherwise: it ends reads, returns what a shard does not own, hides databases,
// forgets cursors and sessions, wants a version. The dump is that of a plain one.
func TestSettingsOfTheServer(t *testing.T) {
	for name, msg := range map[string]string{"mongod": "", "mongos": "isdbgrid"} {
		t.Run(name, func(t *testing.T) { testSettingsOfTheServer(t, msg) })
	}
}

func testSettingsOfTheServer(t *testing.T, msg string) {
	reads := []string{"find", "aggregate", "count", "collStats", "dbStats", "listCollections", "listIndexes", "listDatabases"}
	concernedBy := []string{"find", "aggregate", "count"}
	plain := startFake(t)
	balanced := func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "mode", Value: "off"}} }
	plain.msg = msg
	plain.handle("balancerStatus", balanced)
	fillFake(t, plain)
	want, _, err := dumpFake(t, plain, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	f := startFake(t)
	f.msg = msg
	f.handle("balancerStatus", balanced)
	fillFake(t, f)
	f.batch = 1
	f.sessionMinutes = 1
	var mu sync.Mutex
	var ended []string
	versioned := false
	f.handle("hello", nil)
	limit := func(db string, command bson.Raw) any {
		mu.Lock()
		defer mu.Unlock()
		name := command.Index(0).Key()
		if version, _ := command.Lookup("apiVersion").StringValueOK(); version != "1" { // requireApiVersion
			return failure(498870, "The apiVersion parameter is required, please configure your MongoClient's API version")
		}
		versioned = true
		if document.True(command, "apiStrict") {
			return failure(323, "not in the API")
		}
		if slices.Contains(reads, name) {
			if n, ok := command.Lookup("maxTimeMS").AsInt64OK(); !ok || n != 0 { // defaultMaxTimeMS
				ended = append(ended, name)
				return failure(50, "operation exceeded time limit")
			}
		}
		if slices.Contains(concernedBy, name) && !document.Has(command, "readConcern") { // setDefaultRWConcern
			return f.cursor(db, "x", []bson.Raw{jsonRaw(t, `{"_id":"orphan"}`)})
		}
		if name == "find" && !document.Has(command, "limit") && !document.True(command, "noCursorTimeout") && db != "local" { // cursorTimeoutMillis
			return failure(43, "cursor not found")
		}
		return nil
	}
	for _, command := range append(slices.Clone(reads), "buildInfo", "getMore", "atlasVersion") {
		f.handle(command, limit)
	}
	got, said, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil || !bytes.Equal(got, want) || len(said.warnings) > 0 || !versioned {
		t.Errorf("%v, the same bytes: %v, warnings %q, ended %q", err, bytes.Equal(got, want), said.warnings, ended)
	}
}

// A read that is ended by the server all the same says whose limit it was, and is none of this
// program's.
func TestTimeLimitOfTheServer(t *testing.T) {
	ended := func(string, bson.Raw) any { return failure(50, "operation exceeded time limit") }
	for _, command := range []string{"find", "getMore", "listDatabases"} {
		f := startFake(t)
		fillFake(t, f)
		f.batch = 1
		f.handle(command, ended)
		_, _, err := dumpFake(t, f, Config{Oplog: OplogOff})
		const want = ": (MaxTimeMSExpired) operation exceeded time limit; the limit is the server's, as by its parameter defaultMaxTimeMS"
		if err == nil || !strings.Contains(err.Error(), want) || !server.HasCode(err, 50) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want … %s", command, err, want)
		}
	}
}

package mongo

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// The tests of this package share a server; each makes databases of its own. It is an embedded
// FerretDB, or what MONGO_TEST_URI names: any server that speaks MongoDB's protocol, whose
// databases mt_… are made and dropped.
var shared struct {
	sync.Once
	uri    string
	ferret *servers.FerretServer
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.ferret != nil {
		if err := shared.ferret.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// testServer returns the shared server's URI. The first call starts it.
func testServer(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a server")
	}
	shared.Do(func() {
		if shared.uri = os.Getenv("MONGO_TEST_URI"); shared.uri != "" {
			return
		}
		if shared.ferret, shared.err = servers.StartFerret(); shared.err == nil {
			shared.uri = shared.ferret.URI("")
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.uri
}

// isFerretV1 tells whether the shared server is one that keeps little.
func isFerretV1(t *testing.T) bool {
	t.Helper()
	c, err := Server{URI: testServer(t)}.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var build bson.Raw
	if err := c.Run(t.Context(), "admin", bson.D{{Key: "buildInfo", Value: 1}}, &build); err != nil {
		t.Fatal(err)
	}
	return document.Has(build, "ferretdbVersion")
}

// A testDB is a database of a test's own. The program under test reaches it through a door that
// counts who is inside.
type testDB struct {
	uri    string // past the door
	name   string
	door   *door
	client *mongo.Client
}

var testDBs atomic.Int64

func newTestDB(t *testing.T) *testDB {
	t.Helper()
	return newTestDBAt(t, testServer(t))
}

func newTestDBAt(t *testing.T, uri string) *testDB {
	t.Helper()
	db := &testDB{uri: uri, name: fmt.Sprintf("mt_%d_%d", os.Getpid(), testDBs.Add(1)), door: openDoor(t, firstHost(t, uri))}
	var err error
	if db.client, err = mongo.Connect(options.Client().ApplyURI(uri)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := db.client.Database(db.name).Drop(ctx); err != nil {
			t.Error(err)
		}
		_ = db.client.Disconnect(ctx)
	})
	return db
}

func firstHost(t *testing.T, uri string) string {
	t.Helper()
	opts := options.Client().ApplyURI(uri)
	if err := opts.Validate(); err != nil {
		t.Fatal(err)
	}
	if host := opts.Hosts[0]; strings.Contains(host, ":") {
		return host
	}
	return opts.Hosts[0] + ":27017"
}

// server is the way to the database through the door. What a replica set says of its members would
// lead past it.
func (db *testDB) server(t *testing.T) Server {
	t.Helper()
	before, host, ok := strings.Cut(db.uri, firstHost(t, db.uri))
	if !ok {
		t.Fatalf("%s: want a URI with host and port", db.uri)
	}
	uri := before + db.door.addr + host
	if strings.Contains(uri, "?") {
		return Server{URI: uri + "&directConnection=true"}
	}
	return Server{URI: strings.TrimSuffix(uri, "/") + "/?directConnection=true"}
}

func (db *testDB) coll(name string) *mongo.Collection {
	return db.client.Database(db.name).Collection(name)
}

func (db *testDB) run(t *testing.T, command bson.D) bson.Raw {
	t.Helper()
	answer, err := db.client.Database(db.name).RunCommand(t.Context(), command).Raw()
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	return answer
}

func (db *testDB) insert(t *testing.T, name string, docs ...any) {
	t.Helper()
	if _, err := db.coll(name).InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// A door passes connections on to a server and counts those that are open. The driver keeps some
// for itself, to watch the server by.
type door struct {
	addr   string
	open   atomic.Int64
	inside sync.Map // the connections
}

func openDoor(t *testing.T, to string) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{addr: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.open.Add(1)
			d.inside.Store(c, nil)
			all.Go(func() {
				defer d.open.Add(-1)
				defer d.inside.Delete(c)
				d.pass(c, to)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return d
}

// cut ends all connections.
func (d *door) cut() {
	d.inside.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
}

// pass passes bytes in both directions until one of them ends.
func (d *door) pass(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
		both.Go(func() {
			defer way[0].Close()
			defer way[1].Close()
			_, _ = way[1].(*net.TCPConn).ReadFrom(way[0])
		})
	}
	both.Wait()
}

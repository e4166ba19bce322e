package mongo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

const serverEnded = "the server ended the connection: "

// dieAt has a fake die at the nth command of a name: whatever is under way is not answered, and
// nobody listens there any more.
func dieAt(to *fake, command string, nth int) {
	n := 0
	to.handle(command, func(string, bson.Raw) any {
		if n++; n < nth {
			return nil
		}
		return errHangUp
	})
}

// A server that dies while it is loaded into: the error says what was being done, and that it was
// the server.
func TestServerEndsDuringALoad(t *testing.T) {
	stream := archiveOf(t, []archive.Collection{
		{DB: "app", Name: "c", Type: "collection", Metadata: `{"options":{},"indexes":[{"v":2,"key":{"a":1},"name":"a_1"}]}`},
	}, numbered(someBatches))
	for command, want := range map[string]string{
		"listCollections": "restore: list the collections of app: ",
		"create":          "restore: app.c: create: ",
		"insert":          "restore: app.c: insert: ",
		"count":           "restore: app.c: count: ",
		"createIndexes":   "restore: app.c: create index a_1: ",
	} {
		for _, jobs := range []int{1, 3} {
			to := startFake(t)
			dieAt(to, command, 1)
			_, err := loadFake(t, to, LoadConfig{Jobs: jobs}, stream)
			if err == nil || !strings.HasPrefix(err.Error(), want+serverEnded) || strings.Contains(err.Error(), "socket") {
				t.Errorf("at %s with %d jobs: %v, want %s…", command, jobs, err, want+serverEnded)
			}
			if changed := errors.As(err, new(*dump.PartialError)); changed != (command != "listCollections") {
				t.Errorf("at %s: %v: said to have changed something: %v", command, err, changed)
			}
		}
	}
}

// What a server says of its end is in the error, also where it is told to one session and another
// finds its connection closed.
func TestServerSaysThatItEnds(t *testing.T) {
	for code, name := range map[int]string{91: "ShutdownInProgress", 11600: "InterruptedAtShutdown"} {
		to := startFake(t)
		to.handle("insert", func(string, bson.Raw) any {
			return append(failure(code, "interrupted at shutdown"), bson.E{Key: "codeName", Value: name})
		})
		_, err := loadFake(t, to, LoadConfig{Jobs: 3}, archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(someBatches)))
		want := "restore: app.c: insert: " + serverEnded + "(" + name + ") interrupted at shutdown; " + dump.HoldsPart
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A server that dies while it is dumped: at the lists, and between a cursor's answers.
func TestServerEndsDuringADump(t *testing.T) {
	for _, command := range []string{"listCollections", "find", "getMore"} {
		f := startFake(t)
		f.batch = 1
		f.add(t, "app", "a", "collection", "", numbered(5)...)
		dieAt(f, command, 1)
		_, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
		if err == nil || !strings.HasPrefix(err.Error(), "dump app: ") || !strings.Contains(err.Error(), serverEnded) || strings.Contains(err.Error(), "socket") {
			t.Errorf("at %s: %v", command, err)
		}
	}
}

// The end of what reads a dump, or of the context, is not said to be the server's.
func TestEndOfTheContextIsNoServers(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	to := startFake(t)
	to.handle("insert", func(string, bson.Raw) any { end(); return errHangUp })
	l, err := NewLoader(LoadConfig{Server: to.server()})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Load(ctx, bytes.NewReader(archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(1))))
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), serverEnded) {
		t.Error(err)
	}
}

// A real server that is killed in the midst of a load, and of a dump.
func TestServerIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a server")
	}
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(someBatches))
	start := func() (Server, func()) {
		f, err := servers.StartFerret()
		if err != nil {
			t.Fatal(err)
		}
		kill := sync.OnceFunc(func() {
			if err := f.Stop(); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(kill)
		return Server{URI: f.URI(""), ConnectTimeout: time.Second}, kill
	}
	load := func(at Server, r io.Reader) error {
		l, err := NewLoader(LoadConfig{Server: at, Jobs: 2})
		if err != nil {
			t.Fatal(err)
		}
		return l.Load(t.Context(), r)
	}
	at, kill := start()
	half := len(stream) / 2
	err := load(at, io.MultiReader(bytes.NewReader(stream[:half]), &onFirstRead{do: kill}, bytes.NewReader(stream[half:])))
	if err == nil || !strings.HasPrefix(err.Error(), "restore: app.c: insert: "+serverEnded) {
		t.Error(err)
	}
	at, kill = start()
	if err := load(at, bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	src, err := NewSource(Config{Server: at, Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) { kill(); return len(p), nil }))
	if err == nil || !strings.HasPrefix(err.Error(), "dump app: ") || !strings.Contains(err.Error(), serverEnded) {
		t.Error(err)
	}
}

// onFirstRead is an empty reader that does something when it is reached.
type onFirstRead struct{ do func() }

func (r *onFirstRead) Read([]byte) (int, error) {
	r.do()
	return 0, io.EOF
}

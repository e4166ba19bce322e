package mongo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Readers, writer and inserter wait for each other over little room. With many collections that
// have nothing, a few that have more than the room, and documents that wait for their turn, they do
// so all the time.
func TestManyEmptyCollections(t *testing.T) {
	f := startFake(t)
	f.batch = 2
	for i := range 200 {
		var docs []string
		switch i {
		case 20:
			for j := range 30 {
				docs = append(docs, fmt.Sprintf(`{"_id":%d}`, j))
			}
		case 40:
			for j := range 9 {
				docs = append(docs, fmt.Sprintf(`{"_id":%d,"text":%q}`, j, strings.Repeat("a", readAhead/8)))
			}
		case 60:
			for j := range 2 {
				docs = append(docs, fmt.Sprintf(`{"_id":%d,"text":%q}`, j, strings.Repeat("b", answerSize+1)))
			}
		}
		f.add(t, "app", fmt.Sprintf("c%03d", i), "collection", "", docs...)
	}
	var want []byte
	for jobs := 1; jobs <= 8; jobs++ {
		src, err := NewSource(Config{Server: f.server(), Database: "app", Oplog: OplogOff, Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var b bytes.Buffer
		err = src.Dump(ctx, dumptest.NewSlow(uint64(jobs)).Writer(&b))
		cancel()
		if err != nil {
			t.Fatalf("%d jobs: %v", jobs, err)
		}
		if want == nil {
			want = b.Bytes()
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%d jobs: another dump than with one", jobs)
		}
	}
	to := startFake(t)
	l, err := NewLoader(LoadConfig{Server: to.server()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Load(ctx, dumptest.NewSlow(9).Reader(bytes.NewReader(want))); err != nil {
		t.Fatal(err)
	}
}

// A load that fails closes what it reads from: nobody waits for the rest of the dump.
func TestFailedLoadClosesItsReader(t *testing.T) {
	f := startFake(t)
	docs := make([]string, 25_000)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"_id":%d}`, i)
	}
	f.add(t, "app", "a", "collection", "", docs...)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	to := startFake(t)
	to.handle("insert", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not allowed") })
	l, err := NewLoader(LoadConfig{Server: to.server()})
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	go func() { _, _ = w.Write(stream[:len(stream)*6/10]) }() // and never the rest
	done := make(chan error, 1)
	go func() { done <- l.Load(t.Context(), r) }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "restore: app.a: insert: ") || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("error %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits for the rest")
		r.Close()
		<-done
	}
}

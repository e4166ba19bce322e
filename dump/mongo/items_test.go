package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/load"
)

// loadItems loads what there is of a dump's items behind a filter.
func loadItems(t *testing.T, to *fake, stream []byte, wants func(dump.Item) bool) (compared dump.Comparison, err error) {
	t.Helper()
	l, err := NewLoader(LoadConfig{Server: to.server(), Compared: func(c dump.Comparison) { compared = c }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, fail := context.WithCancelCause(t.Context()) // nobody waits for a slice of bytes
	defer fail(nil)
	err = load.Run(ctx, l.cfg, itemsWanted(Items(bytes.NewReader(stream)), wants), fail)
	return compared, err
}

func itemsWanted(items iter.Seq2[dump.Item, error], wants func(dump.Item) bool) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		for item, err := range items {
			if (err != nil || wants(item)) && !yield(item, err) {
				return
			}
		}
	}
}

// A load goes by the items that it is given: a part of a dump is all of it with some left out.
func TestLoadOfSomeItems(t *testing.T) {
	stream := archiveOf(
		t, []archive.Collection{{DB: "app", Name: "a", Type: "collection"}, {DB: "app", Name: "b", Type: "collection"}, {DB: "app", Name: "c", Type: "collection"}},
		[]string{`{"_id":1}`}, []string{`{"_id":1}`, `{"_id":2}`}, []string{`{"_id":1}`},
	)
	to := startFake(t)
	compared, err := loadItems(t, to, stream, func(i dump.Item) bool { return i.Table != "app.b" })
	if err != nil || compared.Tables != 2 || compared.Rows != 2 || len(compared.Of) != 2 {
		t.Errorf("without b: %v, compared %+v", err, compared)
	}
	if len(to.collection("app", "a").docs) != 1 || to.collection("app", "b") != nil || len(to.collection("app", "c").docs) != 1 {
		t.Errorf("made were %q, inserted %q", to.sent("create"), to.sent("insert"))
	}

	// What it is not given, and was to get, it misses.
	_, err = loadItems(t, startFake(t), stream, func(i dump.Item) bool { return i.Kind != dump.Rows || i.Table != "app.b" })
	if want := "restore: app.b: 0 documents were inserted, the dump holds 2"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("without the documents of b: %v, want %s", err, want)
	}
	if _, err = loadItems(t, startFake(t), stream, func(i dump.Item) bool { return i.Contents == nil }); !errors.Is(err, dump.ErrTruncated) {
		t.Errorf("without an end: %v, want %v", err, dump.ErrTruncated)
	}
}

// All that an archive announces comes before the rest, with what a load goes by: what damages the
// first block is found before anything is changed.
func TestAnnouncedItems(t *testing.T) {
	stream := archiveOf(
		t, []archive.Collection{{DB: "app", Name: "ts", Type: "timeseries", Metadata: "{}"}, {DB: "app", Name: "v", Type: "view"}, {Name: "oplog"}},
		[]string{`{"_id":1}`}, nil, nil,
	)
	var got []string
	for item, err := range Items(bytes.NewReader(stream)) {
		switch {
		case err != nil:
			t.Fatal(err)
		case item.Head != nil:
			got = append(got, "head "+item.Head.Form+" "+item.Head.Server)
		case item.End != nil:
			got = append(got, "end "+item.Table)
		case item.Contents == nil:
			got = append(got, string(item.Kind)+" "+item.Table+" "+item.Type)
		}
	}
	equalStrings(t, "items", got, []string{
		"head mongo 7.0.5", "definitions app.system.buckets.ts timeseries", "definitions app.v view", "definitions .oplog ",
		"rows app.system.buckets.ts timeseries", "end app.system.buckets.ts", "end app.v", "end .oplog",
	})

	to := startFake(t)
	damaged := slices.Clone(stream)
	at := bytes.Index(damaged, []byte("EOF\x00"))
	damaged[at] = 'e'
	if _, err := loadFake(t, to, LoadConfig{}, damaged); !errors.Is(err, dump.ErrDamaged) || errors.As(err, new(*dump.PartialError)) || len(to.sent("create")) > 0 {
		t.Errorf("a damaged block: %v; made %q", err, to.sent("create"))
	}
}

// What is wrong with an archive is the error also where documents are at the server, whose
// insertion that ends.
func TestCutWhileDocumentsAreInserted(t *testing.T) {
	to := startFake(t)
	var over chan struct{} // closed once the load has given up
	to.handle("insert", func(string, bson.Raw) any {
		wait := over
		to.mu.Unlock()
		defer to.mu.Lock()
		<-wait
		return nil
	})
	var docs []string
	for i := range 15_000 {
		docs = append(docs, fmt.Sprintf(`{"_id":%d}`, i))
	}
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, docs)
	for _, jobs := range []int{1, 2} {
		over = make(chan struct{})
		_, err := loadFake(t, to, LoadConfig{Jobs: jobs, Clean: true}, stream[:len(stream)-1000])
		close(over)
		if !errors.Is(err, dump.ErrTruncated) {
			t.Errorf("%d sessions: %v, want %v", jobs, err, dump.ErrTruncated)
		}
	}
}

package mongo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

// numbered are documents of the _ids from 0 to n.
func numbered(n int) (docs []string) {
	for i := range n {
		docs = append(docs, fmt.Sprintf(`{"_id":%d}`, i))
	}
	return docs
}

const someBatches = 35_000 // documents, of which 10,000 at most are a batch

// meet has commands wait until so many are there at once, for no longer than they would all come
// in. It returns how many there were at most.
func meet(t *testing.T, to *fake, command string, want int) (most *int) {
	most = new(int)
	there := 0
	all := make(chan struct{})
	to.handle(command, func(string, bson.Raw) any {
		if there++; there > *most {
			if *most = there; there == want {
				close(all)
			}
		}
		to.mu.Unlock() // which a command holds while it is answered
		select {
		case <-all:
		case <-time.After(20 * time.Second):
			t.Errorf("of %d %s commands %d come at once", want, command, *most)
		}
		to.mu.Lock()
		there--
		return nil
	})
	return most
}

// On several sessions as many batches of a collection are under way, and all of it is there.
func TestBatchesAtOnce(t *testing.T) {
	const jobs = 3
	to := startFake(t)
	most := meet(t, to, "insert", jobs)
	var compared dump.Comparison
	stream := archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(someBatches))
	if _, err := loadFake(t, to, LoadConfig{Jobs: jobs, Compared: func(c dump.Comparison) { compared = c }}, stream); err != nil {
		t.Fatal(err)
	}
	if n := len(to.collection("app", "c").docs); *most != jobs || n != someBatches || compared.Rows != someBatches {
		t.Errorf("%d inserts at once, want %d; there are %d documents, compared %d", *most, jobs, n, compared.Rows)
	}
	for _, insert := range to.sent("insert") {
		if !strings.Contains(insert, `"ordered":false`) {
			t.Errorf("an insert beside others is ordered: %.200s", insert)
		}
	}
}

// A capped collection and a time series keep their order, on however many sessions.
func TestCappedCollectionKeepsItsOrder(t *testing.T) {
	to := startFake(t)
	most := meet(t, to, "insert", 1)
	stream := archiveOf(
		t, []archive.Collection{
			{DB: "app", Name: "log", Type: "collection", Metadata: `{"options":{"capped":true,"size":1000000000},"indexes":[]}`},
			{DB: "app", Name: "ts", Type: "timeseries", Metadata: `{"options":{"timeseries":{"timeField":"t"}},"indexes":[]}`},
		}, numbered(someBatches), numbered(someBatches),
	)
	if _, err := loadFake(t, to, LoadConfig{Jobs: 3}, stream); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log", "system.buckets.ts"} {
		docs := to.collection("app", name).docs
		sorted := slices.IsSortedFunc(docs, func(a, b bson.Raw) int { return int(a.Lookup("_id").Int32() - b.Lookup("_id").Int32()) })
		if len(docs) != someBatches || !sorted || *most != 1 {
			t.Errorf("%s has %d documents, in their order: %v; %d inserts at once", name, len(docs), sorted, *most)
		}
	}
}

// Documents of one _id may come in batches that are under way at once: an equal one is passed over,
// another is named, and all else is there.
func TestDocumentsOfOneIDAtOnce(t *testing.T) {
	to := startFake(t)
	meet(t, to, "insert", 3)
	docs := append(numbered(someBatches), `{"_id":5}`, `{"_id":6,"other":true}`)
	_, err := loadFake(t, to, LoadConfig{Jobs: 3}, archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, docs))
	want := `restore: the dump has several documents of one _id, of which one is there: {"$numberInt":"6"} of app.c; ` + dump.AllElse
	if n := len(to.collection("app", "c").docs); err == nil || err.Error() != want || n != someBatches {
		t.Errorf("%v, want %s; there are %d documents", err, want, n)
	}
}

// Of several batches one that the server refuses ends the load, with its own error.
func TestBatchThatFails(t *testing.T) {
	to := startFake(t)
	n := 0
	to.handle("insert", func(string, bson.Raw) any {
		if n++; n == 2 {
			return failure(14031, "no space left on device")
		}
		return nil
	})
	_, err := loadFake(t, to, LoadConfig{Jobs: 3}, archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(someBatches)))
	if err == nil || !strings.HasPrefix(err.Error(), "restore: app.c: insert: ") || !strings.Contains(err.Error(), "no space left") || !errors.As(err, new(*dump.PartialError)) || !strings.HasSuffix(err.Error(), dump.HoldsPart) {
		t.Error(err)
	}
}

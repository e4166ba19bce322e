package mongo

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/scratch"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

func TestDrills(t *testing.T) {
	uri := testServer(t)
	db := newTestDB(t)
	db.insert(t, "orders", bson.D{{Key: "_id", Value: 1}, {Key: "total", Value: 1.5}, {Key: "note", Value: "zäh"}}, bson.D{{Key: "_id", Value: 2}, {Key: "total", Value: 3.5}}, bson.D{{Key: "_id", Value: 3}, {Key: "paid", Value: true}})
	db.insert(t, "sub.nested", bson.D{{Key: "_id", Value: "a"}, {Key: "list", Value: bson.A{1, nil, "x"}}})
	src, err := NewSource(Config{Server: Server{URI: uri}, Database: db.name})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	prefix := fmt.Sprintf("mt_drill_%d_", time.Now().Unix()%100000) // MONGO_TEST_URI's server may be shared
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	dumptest.RunDrills(t, dumptest.Drills{
		Stream:   stream.Bytes(),
		Contents: contentsRead,
		TablesOf: TablesOf,
		By:       map[string]dumptest.Driller{"all": drillerAt(uri)},
		Prefixes: []string{prefix, prefix + "hostile-X"},
		Databases: func(t *testing.T) []string {
			names, err := client.ListDatabaseNames(t.Context(), bson.D{})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(names)
			return names
		},
		Make: func(t *testing.T, name string) {
			if _, err := client.Database(name).Collection("mine").InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
				t.Fatal(err)
			}
		},
		Gone: func(t *testing.T, name string) {
			if err := client.Database(name).Drop(t.Context()); err != nil {
				t.Error(err)
			}
		},
		Kill: func(s dump.Scratch, name string) {
			s.Close()
			long := bson.D{{Key: "$set", Value: bson.D{{Key: "at", Value: time.Now().Add(-time.Hour)}}}}
			got, err := client.Database(dump.ScratchMarks(prefix)).Collection("drills").UpdateByID(t.Context(), name, long)
			if err != nil || got.MatchedCount != 1 {
				t.Errorf("%s has %v marks: %v", name, got, err)
			}
		},
		Answers: map[string]string{
			`{"count": "orders"}`: "3",
			`{"count": "orders", "query": {"total": {"$gt": 1}}, "maxTimeMS": 0}`:                                       "2",
			`{"find": "orders", "sort": {"_id": -1}}`:                                                                   "true",
			`{"find": "orders", "filter": {"note": "zäh"}, "projection": {"note": 1}}`:                                  "zäh",
			`{"find": "orders", "filter": {"_id": 2}, "projection": {"_id": 1}}`:                                        "2",
			`{"distinct": "orders", "key": "note"}`:                                                                     "zäh",
			`{"aggregate": "orders", "pipeline": [{"$group": {"_id": null, "sum": {"$sum": "$total"}}}], "cursor": {}}`: "5",
			`{"dbStats": 1}`:                "1",
			`{"find": "sub.nested"}`:        `[1,null,"x"]`,
			`{"listIndexes": "sub.nested"}`: "2",
		},
		Refused: []string{
			"", "{}", "{", `{"count": "orders"} {"drop": "orders"}`, `{"drop": "orders"}`, `{"insert": "orders", "documents": [{}]}`, `{"delete": "orders", "deletes": [{"q": {}, "limit": 0}]}`,
			`{"aggregate": "orders", "pipeline": [{"$out": "copy"}]}`, `{"aggregate": "orders", "pipeline": [{"$facet": {"a": [{"$merge": "copy"}]}}]}`, `{"count": "orders", "$db": "admin"}`,
			`{"find": "nobody"}`, `{"find": "orders", "filter": {"total": {"$nothing": 1}}}`, `{"find": "orders", "filter": {"_id": 9}}`, `{"dropDatabase": 1}`, `{"eval": "1"}`,
			`{"distinct": "orders", "key": "nothing"}`,
		},
		Unchanged: func(t *testing.T, name string) error {
			names, err := client.Database(name).ListCollectionNames(t.Context(), bson.D{})
			slices.Sort(names)
			if err != nil || !slices.Equal(names, []string{"orders", "sub.nested"}) {
				return fmt.Errorf("there are %q: %v", names, err)
			}
			if n, err := client.Database(name).Collection("orders").CountDocuments(t.Context(), bson.D{}); err != nil || n != 3 {
				return fmt.Errorf("there are %d orders: %v", n, err)
			}
			return nil
		},
	})
	if names, err := client.ListDatabaseNames(t.Context(), bson.D{}); err != nil || slices.ContainsFunc(names, dump.IsScratchName) {
		t.Errorf("there are %q in the end: %v", names, err)
	}
}

// drillerAt makes drills on a server.
func drillerAt(uri string) dumptest.Driller {
	at := Server{URI: uri}
	return dumptest.Driller{
		Scratch: func(t *testing.T, prefix string) dump.Scratch {
			s, err := NewScratch(ScratchConfig{Server: at, Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Loader: func(t *testing.T, db string) dump.Loader {
			l, err := NewLoader(LoadConfig{Server: at, Database: db})
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Source: func(t *testing.T, db string) dump.Source {
			s, err := NewSource(Config{Server: at, Database: db})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
}

// A living drill goes on saying that it lives, and so stays, though nobody heard of it for long.
func TestDrillLives(t *testing.T) {
	uri := testServer(t)
	prefix := fmt.Sprintf("mt_living_%d_", time.Now().Unix()%100000)
	s := scratch.New(scratch.Config{Server: Server{URI: uri}, Prefix: prefix, Every: time.Millisecond})
	defer s.Close()
	name, err := s.Create(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	db := newTestDB(t)
	mark := db.client.Database(dump.ScratchMarks(prefix)).Collection("drills")
	for _, change := range []func() error{
		func() error {
			_, err := mark.UpdateByID(t.Context(), name, bson.D{{Key: "$set", Value: bson.D{{Key: "at", Value: time.Now().Add(-time.Hour)}}}})
			return err
		},
		func() error { _, err := mark.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: name}}); return err },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		for {
			var found struct{ At time.Time }
			err := mark.FindOne(ctx, bson.D{{Key: "_id", Value: name}}).Decode(&found)
			if err == nil && time.Since(found.At) < 10*time.Minute {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("it was last heard of at %s: %v", found.At, err)
			}
		}
	}
	other := drillerAt(uri).Scratch(t, prefix)
	defer other.Close()
	if dropped, err := other.Sweep(t.Context()); err != nil || len(dropped) > 0 {
		t.Errorf("swept %q, %v", dropped, err)
	}
	if err := s.Drop(t.Context(), name); err != nil {
		t.Error(err)
	}
}

// Who may write everywhere and drop no database drops what is in it.
func TestDrillIsDroppedByWriter(t *testing.T) {
	f := startFake(t)
	f.set = "rs0"
	for _, command := range []string{"update", "delete"} {
		f.handle(command, func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}} })
	}
	f.handle("dropDatabase", func(string, bson.Raw) any { return failure(server.CodeUnauthorized, "not authorized") })
	s, err := NewScratch(ScratchConfig{Server: f.server(), Prefix: "drill_"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	name, err := s.Create(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, name, "a", "collection", "", `{"_id":1}`)
	f.add(t, name, "system.views", "collection", "")
	if err := s.Drop(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if drops := f.sent("drop"); len(drops) != 1 || !strings.Contains(drops[0], `"drop":"a"`) || !strings.Contains(drops[0], `"w":"majority"`) {
		t.Errorf("dropped %q", drops)
	}
	if marks := f.sent("update"); len(marks) != 1 || !strings.Contains(marks[0], name) || !strings.Contains(marks[0], `"w":"majority"`) {
		t.Errorf("marked %q", marks)
	}
}

func TestListDatabases(t *testing.T) {
	f := startFake(t)
	for _, name := range []string{"shop", "app", "config", dump.NewScratchName("drill_", time.Now())} {
		f.add(t, name, "a", "collection", "", `{"_id":1}`)
	}
	f.add(t, "shop", "old", "collection", "")
	f.add(t, "admin", "mine", "collection", "")
	for want, cfg := range map[string]Config{
		"[app shop]": {},
		"[shop]":     {Include: []string{"shop.*"}},
		"[app]":      {Exclude: []string{"shop.*"}},
		"[]":         {Include: []string{"none.*"}},
	} {
		cfg.Server = f.server()
		src, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if names, err := src.ListDatabases(t.Context()); err != nil || fmt.Sprint(names) != want {
			t.Errorf("%v but %v: %v, %v, want: %s", cfg.Include, cfg.Exclude, names, err, want)
		}
	}
}

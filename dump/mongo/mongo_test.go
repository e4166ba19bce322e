package mongo

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
)

func TestSettings(t *testing.T) {
	uri := Server{URI: "mongodb://127.0.0.1"}
	for want, cfg := range map[string]Config{
		"want one of them":                {Server: Server{URI: "mongodb://x", Host: "y"}},
		"scheme":                          {Server: Server{URI: "postgres://x"}},
		"no host":                         {Server: Server{URI: "mongodb+srv://"}},
		`"a b" is no name of a database`:  {Server: uri, Database: "a b"},
		`order "_id": auto, natural or`:   {Server: uri, Order: "_id"},
		`oplog "yes": auto, on or off`:    {Server: uri, Oplog: "yes"},
		`users "true": auto, on or off`:   {Server: uri, Users: "true"},
		"the oplog is of all databases":   {Server: uri, Oplog: OplogOn, Database: "app"},
		"-1 jobs":                         {Server: uri, Jobs: -1},
		`include "users": want database.`: {Server: uri, Include: []string{"users"}},
	} {
		if _, err := NewSource(cfg); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "mongo settings: ") {
			t.Errorf("%+v: %v, want: … %s …", cfg, err, want)
		}
	}
	if _, err := NewLoader(LoadConfig{Server: uri, From: []string{"a.*"}}); err == nil {
		t.Error("From without To: no error")
	}
}

// Nobody listens: that is told soon, and nothing is left behind.
func TestNobodyListens(t *testing.T) {
	src, err := NewSource(Config{Server: Server{URI: "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := src.Survey(ctx); err == nil || !strings.Contains(err.Error(), "connection refused") || ctx.Err() != nil {
		t.Errorf("Check: %v, want: … connection refused", err)
	}
}

func TestViewsInOrder(t *testing.T) {
	view := func(name, on string, pipeline ...any) *collection {
		raw, err := bson.Marshal(bson.D{{Key: "viewOn", Value: on}, {Key: "pipeline", Value: bson.A(pipeline)}})
		if err != nil {
			t.Fatal(err)
		}
		return &collection{Collection: archive.Collection{DB: "app", Name: name, Type: "view"}, options: raw}
	}
	stage := func(name string, v any) bson.D { return bson.D{{Key: name, Value: v}} }
	var names []string
	for _, v := range viewsInOrder([]*collection{
		view("a", "d"),
		view("b", "table", stage("$lookup", bson.D{{Key: "from", Value: "e"}, {Key: "as", Value: "x"}})),
		view("c", "table", stage("$facet", bson.D{{Key: "f", Value: bson.A{stage("$unionWith", "g")}}})),
		view("d", "b"),
		view("e", "table"),
		view("f", "table", stage("$graphLookup", bson.D{{Key: "from", Value: "f"}})),
		view("g", "table", stage("$unionWith", bson.D{{Key: "coll", Value: "h"}})),
		view("h", "table"),
	}) {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "e b d a h g c f" {
		t.Errorf("order %s", got)
	}
}

func TestMetadata(t *testing.T) {
	var options, index bson.Raw
	for to, text := range map[*bson.Raw]string{
		&options: `{"capped":true,"size":{"$numberLong":"4096"},"validator":{"b":1,"a":{"$gt":{"$numberDouble":"1.0"}}},"collation":{"locale":"fr"}}`,
		&index:   `{"v":2,"key":{"z":-1,"a":"text"},"name":"<&>","weights":{"b":1,"a":{"$numberInt":"2"}}}`,
	} {
		if err := bson.UnmarshalExtJSON([]byte(text), false, to); err != nil {
			t.Fatal(err)
		}
	}
	c := &collection{Collection: archive.Collection{DB: "app", Name: "c", Type: "collection"}, options: options, indexes: []bson.Raw{index}, uuid: "00ff"}
	for withUUID, want := range map[bool]string{false: "", true: "00ff"} {
		if inexact, err := c.describe(withUUID); err != nil || len(inexact) > 0 {
			t.Fatal(err, inexact)
		}
		m, err := definition.Parse(c.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Options) != string(options) || len(m.Indexes) != 1 || string(m.Indexes[0]) != string(index) || m.UUID != want || m.CollectionName != "c" {
			t.Errorf("%s\nis read as %+v", c.Metadata, m)
		}
	}
	if strings.Contains(c.Metadata, `\u003c`) {
		t.Errorf("%s: escaped as if for HTML", c.Metadata)
	}
}

func TestVerifyNoArchive(t *testing.T) {
	if err := Verify(strings.NewReader("-- breaking-backups dump 1 postgres\n")); err == nil || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

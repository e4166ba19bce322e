package mongo

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
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

func TestVerifyNoArchive(t *testing.T) {
	if err := Verify(strings.NewReader("-- breaking-backups dump 1 postgres\n")); err == nil || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

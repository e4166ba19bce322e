package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/restic"
)

// Only snapshots that hold the job's path and no other are the job's to forget.
func TestJobFilter(t *testing.T) {
	j := job{name: "app", host: "db", file: "app.sql"}
	for _, tt := range []struct {
		host  string
		paths []string
		want  bool
	}{
		{"db", []string{"/app.sql"}, true},
		{"db", []string{"/app.sql", "/other.txt"}, false},
		{"db", []string{"/other.txt", "/app.sql"}, false},
		{"db", nil, false},
		{"db2", []string{"/app.sql"}, false},
		{"db", []string{"/app.sql2"}, false},
	} {
		if got := j.filter().Matches(restic.Snapshot{Host: tt.host, Paths: tt.paths}); got != tt.want {
			t.Errorf("%s %q: %t", tt.host, tt.paths, got)
		}
	}
}

func TestGroupSources(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	snapshot := func(id string, day int, sources ...string) restic.Snapshot {
		s := restic.Snapshot{ID: id, Time: now.AddDate(0, 0, day), Tags: []string{"app"}}
		for _, source := range sources {
			s.Tags = append(s.Tags, sourceTag+source)
		}
		return s
	}
	for _, tt := range []struct {
		name   string
		ours   []restic.Snapshot
		made   string
		own    string
		others []string
	}{
		{"none", nil, "", "", nil},
		{"untold", []restic.Snapshot{snapshot("a", -2), snapshot("b", -1)}, "b", "", nil},
		{"one, and older ones that do not tell", []restic.Snapshot{snapshot("a", -2), snapshot("b", -1, "x")}, "b", "x", nil},
		{"two", []restic.Snapshot{snapshot("a", -3, "x"), snapshot("b", -2, "y"), snapshot("c", -1, "x")}, "c", "x", []string{"b"}},
		{"the one made counts, though another came after it", []restic.Snapshot{snapshot("a", -3, "x"), snapshot("b", -2, "y")}, "a", "x", []string{"b"}},
		{"by hand the newest counts", []restic.Snapshot{snapshot("a", -3, "x"), snapshot("b", -2, "y")}, "", "y", []string{"a"}},
		{"but none of the future", []restic.Snapshot{snapshot("a", -3, "x"), snapshot("b", 2, "y")}, "", "x", []string{"b"}},
		{"accepted", []restic.Snapshot{snapshot("a", -3, "x", "y"), snapshot("b", -2, "y")}, "", "y", nil},
		{"accepted, and the newest went", []restic.Snapshot{snapshot("a", -3, "x", "y"), snapshot("b", -2, "x", "y")}, "", "y", nil},
		{"accepted, and the other still makes some", []restic.Snapshot{snapshot("a", -3, "x", "y"), snapshot("b", -2, "y"), snapshot("c", -1, "x")}, "c", "x", nil},
		{"accepted one after the other", []restic.Snapshot{snapshot("a", -3, "x", "y"), snapshot("b", -2, "y", "z"), snapshot("c", -1, "z")}, "c", "z", nil},
		{"all of the future", []restic.Snapshot{snapshot("a", 3, "x"), snapshot("b", 4, "x")}, "", "x", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := groupSources(tt.ours, func(s restic.Snapshot) bool { return s.ID == tt.made }, now)
			var others []string
			for _, s := range got.others {
				others = append(others, s.ID)
			}
			if got.own != tt.own || cmp.Diff(tt.others, others) != "" {
				t.Errorf("own %q, others %q; want %q, %q", got.own, others, tt.own, tt.others)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "[::1]": true, "0.0.0.0": true, "": true,
		"db": false, "10.0.0.1": false, "localhost.example": false, "fe80::1": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("loopback(%q) = %t", host, got)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
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

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"tëxt with 日本 and a\\n":  "tëxt with 日本 and a\\n",
		"a\nb\tc\r":              `a\nb\u0009c\u000d`,
		"\x1b[31mred\x07":        `\u001b[31mred\u0007`,
		"\xff\x80":               `\xff\x80`,
		"right\u202eleft\u2028x": `right\u202eleft\u2028x`,
		"c1\u009b31m":            `c1\u009b31m`,
		"\U000e0001":             `\U000e0001`,
	} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestJSONLogShowsText(t *testing.T) {
	var out bytes.Buffer
	text := "del\x7f c1\u009b2J right\u202eleft \U000e0001 日本 \x1b\n"
	slog.New(newHandler(environment{zone: time.UTC}, &out, true, slog.LevelInfo, false)).Warn(text)
	var line struct{ Msg string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Msg != text {
		t.Errorf("%q, %v", line.Msg, err)
	}
	if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r != '\n' && hidden(r) }); i >= 0 {
		t.Errorf("a terminal would heed what is at %d: %q", i, out.Bytes())
	}
}

// Nothing that a server says begins a line of the log or reaches the terminal's control, with
// colours or without.
func TestLogShowsText(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		env := environment{zone: time.UTC}
		log := slog.New(newHandler(env, &out, false, slog.LevelInfo, colour))
		hostile := "x\n{\"level\":\"INFO\",\"msg\":\"backup done\"}\x1b[2J\x07\u009b1m" + `\x1b[2J`
		log.Warn(hostile, "value", hostile)
		plain := bytes.Count(out.Bytes(), []byte("\x1b[2J")) + bytes.Count(out.Bytes(), []byte("\x07")) + bytes.Count(out.Bytes(), []byte("\u009b"))
		if bytes.Count(out.Bytes(), []byte("\n")) != 1 || plain != 0 {
			t.Errorf("colour %t: %q", colour, out.String())
		}
	}
}

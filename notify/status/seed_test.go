package status

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// ids are those of the backups, in their order.
func ids(s State) []string {
	var all []string
	for _, b := range s.Backups {
		all = append(all, b.ID)
	}
	return all
}

// What the repository tells is what there is, but for a backup that was made while it was read.
func TestSeed(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.run("2026-03-10 13:00:30", "2026-03-10 13:01", "b")
	w.Describe("app", "b", []event.Table{{Name: "t", Rows: 2}})
	a, b := Backup{ID: "a", At: at("2026-03-09 02:30")}, Backup{ID: "b", At: at("2026-03-10 13:00:31"), Empty: true}
	w.Seed("app", []Backup{a}, nil, nil)
	if diff := cmp.Diff([]string{"a", "b"}, ids(w.state("app"))); diff != "" {
		t.Errorf("read while b was made (-want +got):\n%s", diff)
	}
	w.Seed("app", []Backup{b, a}, nil, nil)
	s := w.state("app")
	if diff := cmp.Diff([]string{"a", "b"}, ids(s)); diff != "" {
		t.Errorf("read behind it (-want +got):\n%s", diff)
	}
	if got := s.Backups[1]; !got.At.Equal(at("2026-03-10 13:00:30")) || !got.Empty || !got.Described || got.Rows != 2 || len(got.Tables) != 1 {
		t.Errorf("what was known of it: %+v", got)
	}
	w.Seed("app", []Backup{a}, nil, nil)
	w.Seed("app", []Backup{a}, nil, nil)
	if diff := cmp.Diff([]string{"a"}, ids(w.state("app"))); diff != "" {
		t.Errorf("once b was forgotten (-want +got):\n%s", diff)
	}
	w.Add(app(hourly())) // its history stays
	if s := w.state("app"); !s.Seeded || len(s.Runs) != 1 || s.Plans[event.Backup].Text != "0 * * * *" {
		t.Errorf("%+v", s)
	}
	of := app(hourly())
	of.Parent = "server"
	w.Add(of)
	w.Replace("server", nil) // it is gone, and comes anew
	w.Add(app(hourly()))
	if s := w.state("app"); s.Seeded || len(s.Runs) != 0 {
		t.Errorf("%+v", s)
	}
}

// Snapshots of the future do not push out those of now.
func TestSeedOfTheFuture(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	all := []Backup{{ID: "present", At: at("2026-03-10 02:30")}}
	for i := range 200 {
		all = append(all, Backup{ID: fmt.Sprint(i), At: at("2030-03-10 02:30").Add(time.Duration(i) * time.Hour)})
	}
	w.Seed("app", all, nil, nil)
	s := w.state("app")
	if len(s.Backups) != 1+mostFuture || s.Backups[0].ID != "present" || s.Backups[mostFuture].ID != "199" {
		t.Error(ids(s))
	}
	w.healthy("2026-03-11 02:45")
	w.healthy("2026-03-11 02:46", "what is dated in the future does not count")
}

// A drill is one, by its event and by its note.
func TestSeedOfDrills(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.hearOf("app", event.Drill, "2026-03-10 13:00", event.Ended{Drill: &event.Drilled{Verdict: event.Proven, Snapshot: "abcdef"}})
	w.hearOf("app", event.Drill, "2026-03-10 14:00", event.Ended{Drill: &event.Drilled{Verdict: event.Proven, Snapshot: "abcdef"}})
	told := []Drill{
		{At: at("2026-03-10 13:00:20"), Drilled: event.Drilled{Verdict: event.Proven, Snapshot: "abcdef"}},
		{At: at("2026-03-09 13:00"), Drilled: event.Drilled{Verdict: event.Wrong, Snapshot: "abcdef", Wrong: []string{"fault"}}},
	}
	for range 2 {
		w.Seed("app", nil, told, nil)
		var got []string
		for _, d := range w.state("app").Drills {
			got = append(got, d.At.Format("02 15:04 ")+string(d.Verdict))
		}
		if diff := cmp.Diff([]string{"09 13:00 wrong", "10 13:00 proven", "10 14:00 proven"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// A backup is described by the beginning of its ID, and nothing is by none.
func TestDescribe(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	var all []Backup
	for i := range 15 {
		all = append(all, Backup{ID: fmt.Sprintf("%02dabcdef", i), At: at("2026-03-01 02:30").Add(time.Duration(i) * time.Hour)})
	}
	w.Seed("app", all, nil, nil)
	for i := range 15 {
		w.Describe("app", fmt.Sprintf("%02dab", i), []event.Table{{Name: "t", Rows: int64(i)}})
	}
	w.Describe("app", "", []event.Table{{Name: "t", Rows: 100}})
	w.Describe("app", "unknown", []event.Table{{Name: "t", Rows: 100}})
	for i, b := range w.state("app").Backups {
		if !b.Described || b.Rows != int64(i) || b.Count != 1 || (b.Tables != nil) != (i >= 5) {
			t.Errorf("%d: %+v", i, b)
		}
	}
}

package status

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// healthy holds the board to what it says of app at a moment: nothing, or one reason with these
// words in it.
func (w *world) healthy(when string, words ...string) {
	w.t.Helper()
	got := w.Health(at(when))
	if len(words) == 0 {
		if got != nil {
			w.t.Errorf("%s: %v", when, got)
		}
		return
	}
	if len(got) != 1 {
		w.t.Errorf("%s: %v, want one problem", when, got)
		return
	}
	for _, word := range words {
		if !strings.Contains(got[0].Reason, word) {
			w.t.Errorf("%s: %q does not say %q", when, got[0].Reason, word)
		}
	}
	if strings.Contains(got[0].Reason, "secret") {
		w.t.Errorf("%s: anybody may read %q", when, got[0].Reason)
	}
}

// A process that has been begun anew owes what the repository says is owed.
func TestHealthBySeed(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.healthy("2026-03-10 12:00") // nothing is known yet
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-02 02:30")}}, nil, nil)
	want := []Problem{{
		Job: "app", Of: event.Backup, Since: at("2026-03-03 02:45"),
		Reason: "the last good backup is of 2026-03-02T02:30:00Z, 8 days ago; the next was due at 2026-03-03T02:30:00Z",
	}}
	if diff := cmp.Diff(want, w.Health(w.now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.run("2026-03-10 13:00", "2026-03-10 13:05", "b")
	w.healthy("2026-03-10 13:05")
}

// Beside an empty repository one is owed from the first due moment on, but a run that fails is told
// at once.
func TestHealthWithoutBackups(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.Seed("app", nil, nil, nil)
	w.healthy("2026-03-11 02:45")
	w.healthy("2026-03-11 02:46", "there is no backup; one was due at 2026-03-11T02:30:00Z")
	w.run("2026-03-10 13:00", "2026-03-10 13:01", "")
	w.healthy("2026-03-10 13:02", "there is no backup; the last run failed at 2026-03-10T13:01:00Z")
	w.run("2026-03-10 13:03", "2026-03-10 13:04", "a")
	w.healthy("2026-03-10 13:04")
}

// What could not be read says nothing before the first due moment.
func TestHealthUnread(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.run("2026-03-10 12:01", "2026-03-10 12:02", "")
	w.healthy("2026-03-10 12:02") // it is being read
	w.Seed("app", nil, nil, errAway)
	w.healthy("2026-03-10 12:02", "could not be read", "the last run failed")
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-10 02:30")}}, nil, nil)
	w.healthy("2026-03-10 12:02")
	w.Seed("app", nil, nil, errAway) // what is known stays
	w.healthy("2026-03-10 12:02")
	if s := w.state("app"); !s.Seeded || s.SeedError != errAway.Error() || len(s.Backups) != 1 {
		t.Errorf("%+v", s)
	}
}

// The first backup of all may take a day; a later one has a measure.
func TestHealthWhileARunGoesOn(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.Seed("app", nil, nil, nil)
	w.hear("2026-03-11 02:30", event.Begun{})
	w.healthy("2026-03-12 02:30")
	w.healthy("2026-03-12 02:31", "there is no backup", "a run goes on since 2026-03-11T02:30:00Z")
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-10 02:30"), Duration: time.Hour}}, nil, nil)
	w.healthy("2026-03-11 04:30")
	w.healthy("2026-03-11 04:31", "the last good backup", "a run goes on since 2026-03-11T02:30:00Z")

	hasty := nightly()
	hasty.Grace = time.Minute
	other := newWorld(t, "2026-03-10 12:00")
	other.Add(app(hasty))
	other.Seed("app", nil, nil, nil)
	other.hear("2026-03-11 02:30", event.Begun{})
	other.healthy("2026-03-11 02:32", "a run goes on")
}

// One failed run is told where it makes something late, and not before.
func TestHealthOfFailedRuns(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.run("2026-03-10 13:00", "2026-03-10 13:01", "a")
	w.run("2026-03-10 14:00", "2026-03-10 14:01", "")
	w.healthy("2026-03-10 14:01")
	w.run("2026-03-11 02:30", "2026-03-11 02:31", "")
	w.healthy("2026-03-11 02:45")
	w.healthy("2026-03-11 02:46", "the last run failed at 2026-03-11T02:31:00Z")
}

// What fails after the snapshot is there leaves that as good as it is, also while it goes on.
func TestHealthWhenWhatFollowsFails(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-10 02:30")}}, nil, nil)
	w.hear("2026-03-11 02:30", event.Begun{})
	w.hear("2026-03-11 02:30", event.Phase{Name: event.Dump})
	w.hear("2026-03-11 02:40", event.Phase{Name: event.Prune})
	w.healthy("2026-03-11 09:00") // it prunes still
	w.hear("2026-03-11 09:00", event.Ended{Safe: true, Snapshot: event.Snapshot{ID: "b"}, Error: "prune: locked", ExitCode: 3})
	w.healthy("2026-03-12 02:50") // and the prune makes no backup late: twice ten minutes are between 02:30 and 02:50
	w.healthy("2026-03-12 02:51", "the last good backup is of 2026-03-11T02:30:00Z")
	if got := w.state("app").Counts[event.Backup]; got != (Count{Unfollowed: 1}) {
		t.Errorf("%+v", got)
	}
}

// Of jobs on one repository the last has its turn late, and is not late for that.
func TestHealthOfWhatWaitsForItsTurn(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-10 02:30"), Duration: 10 * time.Minute}}, nil, nil)
	w.now = at("2026-03-11 02:30")
	w.Queue("app", true)
	w.Queue("app", true)
	w.healthy("2026-03-11 12:00")
	w.healthy("2026-03-12 02:50")
	w.healthy("2026-03-12 02:51", "a run waits for its turn since 2026-03-11T02:30:00Z") // due once more
	if s := w.state("app"); !s.Queued || !s.QueuedAt.Equal(w.now) {
		t.Errorf("%+v", s)
	}
	w.now = at("2026-03-11 12:00")
	w.Queue("app", false)
	w.hear("2026-03-11 12:00", event.Begun{})
	w.healthy("2026-03-11 12:20")
	w.healthy("2026-03-11 12:21", "a run goes on since 2026-03-11T12:00:00Z")
	w.hear("2026-03-11 12:10", event.Ended{Error: "dump: no"})
	w.healthy("2026-03-11 12:11", "the last run failed")
}

// A drill that proves is as good as its schedule says; one that finds the snapshot wrong is told
// until another proves one; one that could not be tried says nothing.
func TestHealthOfDrills(t *testing.T) {
	w := newWorld(t, "2026-03-02 12:00")
	job := app(nightly())
	job.Plans = map[event.Kind]Plan{event.Drill: weekly()}
	w.Add(job)
	drill := func(began, ended string, verdict event.Verdict) {
		w.hearOf("app", event.Drill, began, event.Begun{})
		end := event.Ended{Began: at(began), Drill: &event.Drilled{Verdict: verdict, Snapshot: "a", Wrong: []string{"secret.table"}}}
		if verdict != event.Proven {
			end.Error = "verify: secret"
		}
		w.hearOf("app", event.Drill, ended, end)
	}
	w.Seed("app", nil, []Drill{{At: at("2026-03-01 02:40"), Drilled: event.Drilled{Verdict: event.Proven, Restore: 10 * time.Minute}}}, nil)
	w.healthy("2026-03-08 02:50")
	w.healthy("2026-03-08 02:51", "the last good drill is of 2026-03-01T02:30:00Z")
	drill("2026-03-08 02:30", "2026-03-08 02:41", event.Untried)
	w.healthy("2026-03-08 02:42")
	w.healthy("2026-03-08 02:51", "the last run failed")
	drill("2026-03-08 03:00", "2026-03-08 03:10", event.Wrong)
	w.healthy("2026-03-08 03:11", "the drill of 2026-03-08T03:10:00Z found")
	drill("2026-03-08 04:00", "2026-03-08 04:10", event.Untried)
	w.healthy("2026-03-08 04:11", "the drill of 2026-03-08T03:10:00Z found")
	drill("2026-03-08 05:00", "2026-03-08 05:10", event.Proven)
	w.healthy("2026-03-08 05:11")
	if got := w.state("app").Counts[event.Drill]; got != (Count{Succeeded: 1, Failed: 3}) {
		t.Errorf("%+v", got)
	}

	// That a snapshot is wrong asks no schedule, and no drill none.
	other := newWorld(t, "2026-03-02 12:00")
	other.Add(Job{Name: "app"})
	other.healthy("2036-03-02 12:00")
	other.Seed("app", nil, []Drill{{At: at("2026-03-01 02:40"), Drilled: event.Drilled{Verdict: event.Wrong}}}, nil)
	other.healthy("2026-03-02 12:00", "the drill of 2026-03-01T02:40:00Z found")
}

// Drills of which none has ever proved anything are told with the first.
func TestHealthOfDrillsThatProveNothing(t *testing.T) {
	w := newWorld(t, "2026-03-02 12:00")
	w.Add(Job{Name: "app", Plans: map[event.Kind]Plan{event.Drill: weekly()}})
	w.Seed("app", nil, []Drill{{At: at("2026-03-01 02:40"), Drilled: event.Drilled{Verdict: event.Untried}}}, nil)
	w.healthy("2026-03-02 12:00", "no drill that proved a snapshot is known; the last run failed at 2026-03-01T02:40:00Z")
}

// A run that somebody has ended has not failed.
func TestHealthOfInterruptedRuns(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.Seed("app", nil, nil, nil)
	w.hear("2026-03-10 13:00", event.Begun{})
	w.hear("2026-03-10 13:01", event.Ended{Error: "terminated", ExitCode: 143})
	w.healthy("2026-03-10 13:02")
	if got := w.state("app").Counts[event.Backup]; got != (Count{Interrupted: 1}) {
		t.Errorf("%+v", got)
	}
}

// A job that stands for others has no backups, and tells only that it could not look for them.
func TestHealthOfJobsPerDatabase(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	parent := app(nightly())
	parent.PerDatabase = true
	w.Add(parent)
	w.Seed("app", nil, nil, nil)
	w.healthy("2036-03-10 12:00")
	if got := w.state("app").Fresh; len(got) != 0 {
		t.Errorf("what is owed of it: %v", got)
	}
	w.run("2026-03-11 02:30", "2026-03-11 02:31", "")
	w.healthy("2026-03-11 02:32", "databases could not be looked for")
	w.run("2026-03-12 02:30", "2026-03-12 02:31", "a")
	w.healthy("2036-03-10 12:00")

	child := app(nightly())
	child.Name, child.Parent = "app-shop", "app"
	w.Replace("app", []Job{child})
	w.healthy("2026-03-13 02:45")
	w.healthy("2026-03-13 02:46", "there is no backup")
	w.Replace("app", nil)
	w.healthy("2026-03-13 02:46")
}

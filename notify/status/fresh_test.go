package status

import (
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// How long the last good backup will do, by what the repository tells.
func TestFreshnessBySchedule(t *testing.T) {
	type made struct {
		at   string
		took time.Duration
	}
	jitter, grace, never := nightly(), nightly(), nightly()
	jitter.Jitter, grace.Grace = time.Hour, 5*time.Minute
	never.Next = func(time.Time) time.Time { return time.Time{} }
	greedy := hourly()
	greedy.Jitter = 24 * time.Hour
	tests := []struct {
		name  string
		plan  Plan
		made  []made
		until string // empty: for ever
	}{
		{"nightly", nightly(), []made{{"2026-03-02 02:30:07", time.Minute}}, "2026-03-03 02:45"},
		{"nightly, by hand at noon", nightly(), []made{{"2026-03-02 12:00", time.Minute}}, "2026-03-03 02:45"},
		{"nightly, of six hours", nightly(), []made{{"2026-03-02 02:30", 6 * time.Hour}}, "2026-03-03 14:30"},
		{"nightly, the last one uncommonly quick", nightly(), []made{{"2026-03-01 02:30", 2 * time.Hour}, {"2026-03-02 02:30", time.Minute}}, "2026-03-03 06:30"},
		{"nightly, a slow one long ago", nightly(), []made{
			{"2026-02-20 02:30", 9 * time.Hour},
			{"2026-02-24 02:30", 0},
			{"2026-02-25 02:30", 0},
			{"2026-02-26 02:30", 0},
			{"2026-02-27 02:30", 0},
			{"2026-02-28 02:30", 0},
			{"2026-03-01 02:30", 0},
			{"2026-03-02 02:30", 0},
		}, "2026-03-03 02:45"},
		{"jitter", jitter, []made{{"2026-03-02 03:20", time.Minute}}, "2026-03-03 03:45"},
		{"jitter of more than the time between", greedy, []made{{"2026-03-02 02:00:03", time.Minute}}, "2026-03-02 04:15"},
		{"grace", grace, []made{{"2026-03-02 02:30", 6 * time.Hour}}, "2026-03-03 02:35"},
		{"hourly", hourly(), []made{{"2026-03-02 02:00:03", time.Minute}}, "2026-03-02 03:15"},
		// The next one begins at 07:00 and is there at 13:00, if it takes no longer.
		{"hourly, of five hours and a half", hourly(), []made{{"2026-03-02 01:00", 5*time.Hour + 30*time.Minute}}, "2026-03-02 18:00"},
		{"every hour", every(time.Hour), []made{{"2026-03-02 01:10", 10 * time.Minute}}, "2026-03-02 02:30"},
		{"every minute, of ten", every(time.Minute), []made{{"2026-03-02 01:10", 10 * time.Minute}}, "2026-03-02 01:41"},
		{"weekly", weekly(), []made{{"2026-03-01 02:30", time.Minute}}, "2026-03-08 02:45"},
		{"monthly", monthly(), []made{{"2026-02-01 02:30", time.Minute}}, "2026-03-01 02:45"},
		{"never again", never, []made{{"2026-03-02 02:30", 0}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "2026-03-02 12:00")
			w.Add(app(tt.plan))
			var all []Backup
			for _, m := range tt.made {
				all = append(all, Backup{ID: m.at, At: at(m.at), Duration: m.took})
			}
			w.Seed("app", all, nil, nil)
			fresh := w.state("app").Fresh[event.Backup]
			if last := at(tt.made[len(tt.made)-1].at); !fresh.Last.Equal(last) {
				t.Errorf("the last good one is of %v, want %v", fresh.Last, last)
			}
			if tt.until == "" {
				if !fresh.Until.IsZero() {
					t.Errorf("it will do until %v", fresh.Until)
				}
				return
			}
			if until := at(tt.until); !fresh.Until.Equal(until) {
				t.Errorf("it will do until %v, want %v", fresh.Until, until)
			}
			if got := w.Health(at(tt.until)); got != nil {
				t.Errorf("at its last moment: %v", got)
			}
			got := w.Health(at(tt.until).Add(time.Second))
			if len(got) != 1 || got[0].Job != "app" || got[0].Of != event.Backup || !got[0].Since.Equal(at(tt.until)) {
				t.Errorf("behind it: %v", got)
			}
		})
	}
}

// A schedule of more often, or of less, says what the backups that are there are worth from then
// on.
func TestFreshnessByAnotherSchedule(t *testing.T) {
	w := newWorld(t, "2026-03-05 12:00")
	w.Add(app(weekly()))
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-01 02:30")}}, nil, nil)
	if got := w.Health(w.now); got != nil {
		t.Errorf("weekly: %v", got)
	}
	w.Add(app(nightly()))
	if got := w.Health(w.now); len(got) != 1 || !got[0].Since.Equal(at("2026-03-02 02:45")) {
		t.Errorf("nightly: %v", got)
	}
	w.Add(app(monthly()))
	if got := w.Health(w.now); got != nil {
		t.Errorf("monthly: %v", got)
	}
}

// What this process has seen is as old as time has passed, whatever the clock is set to.
func TestClockThatIsSet(t *testing.T) {
	seen := time.Now()
	now := seen.Add(time.Hour) // both know of time that passes
	if got := onClock(seen, now); !got.Equal(seen) || !got.Equal(seen.Round(0)) {
		t.Errorf("a moment of this clock: %v, want %v", got, seen)
	}
	told := seen.Round(0)
	if got := onClock(told, now); !got.Equal(told) {
		t.Errorf("a moment that is told: %v, want %v", got, told)
	}
	// The clock shows a year less, and an hour has passed.
	set := now.Round(0).AddDate(-1, 0, 0)
	w := newWorld(t, "2026-03-02 12:00")
	w.now = set
	w.Add(app(nightly()))
	w.Seed("app", []Backup{{ID: "a", At: told}}, nil, nil)
	f := w.state("app")
	if !f.Fresh[event.Backup].Last.IsZero() {
		t.Errorf("a snapshot of the future counts: %v", f.Fresh)
	}
	if got := w.Health(set.AddDate(0, 0, 2)); len(got) != 1 {
		t.Errorf("a snapshot of the future hides that there is none: %v", got)
	}
	if got := w.Health(told.Add(time.Minute)); len(got) != 1 {
		t.Errorf("a snapshot of the future counts once its date has come: %v", got)
	}
	// It is set back behind what was read as of the past.
	w.now = now.Round(0)
	w.Seed("app", []Backup{{ID: "a", At: told}}, nil, nil)
	w.now = set
	if got := w.state("app").Fresh[event.Backup].Last; !got.IsZero() {
		t.Errorf("a snapshot that is of the future now counts: it is of %v", got)
	}
}

// A clock that is a little ahead, here or where the snapshot was made, is none of the future.
func TestClocksThatDiffer(t *testing.T) {
	w := newWorld(t, "2026-03-02 02:29")
	w.Add(app(nightly()))
	w.Seed("app", []Backup{{ID: "a", At: at("2026-03-02 02:31")}}, nil, nil)
	if got := w.Health(at("2026-03-02 02:29")); got != nil {
		t.Error(got)
	}
	if got := w.state("app").Fresh[event.Backup].Last; !got.Equal(at("2026-03-02 02:31")) {
		t.Errorf("the last is of %v", got)
	}
}

// No moment is late that the clock leaves out or shows twice: the plan says when it is, and time is
// what passes.
func TestFreshnessOverChangesOfTheClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	plan := Plan{Next: func(t time.Time) time.Time {
		t = t.In(zone)
		for day := 0; ; day++ {
			if due := time.Date(t.Year(), t.Month(), t.Day()+day, 4, 0, 0, 0, zone); due.After(t) {
				return due
			}
		}
	}}
	for _, tt := range []struct{ made, until string }{
		{"2026-03-28 03:00", "2026-03-29 02:15"}, // 23 hours later
		{"2026-10-24 02:00", "2026-10-25 03:15"}, // 25 hours later
	} {
		w := newWorld(t, "2026-11-01 12:00")
		w.Add(app(plan))
		w.Seed("app", []Backup{{ID: "a", At: at(tt.made)}}, nil, nil)
		if got := w.state("app").Fresh[event.Backup].Until; !got.Equal(at(tt.until)) {
			t.Errorf("of %s: until %v, want %s", tt.made, got.UTC(), tt.until)
		}
	}
}

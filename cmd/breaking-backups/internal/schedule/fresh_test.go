package schedule

import (
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// How long a backup will do follows the schedule through the changes of the clock, also where it is
// due at a time that is left out or shown twice.
func TestFreshnessOfSchedules(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ cron, made, until string }{
		{"30 2 * * *", "2025-03-29 01:30", "2025-03-30 01:45"}, // due at 03:30, as 02:30 is left out
		{"30 2 * * *", "2025-03-30 01:30", "2025-03-31 00:45"},
		{"30 2 * * *", "2025-10-25 00:30", "2025-10-26 00:45"}, // due the first time that it is shown
		{"30 2 * * *", "2025-10-26 00:30", "2025-10-27 01:45"}, // and not the second
		{"0 * * * *", "2025-10-26 00:00", "2025-10-26 01:15"},  // an hour is one that passes
		{"0 4 * * 0", "2025-03-23 03:00", "2025-03-30 02:15"},
		{"0 4 1 * *", "2025-03-01 03:00", "2025-04-01 02:15"},
		{"@every 90m", "2025-03-29 23:00", "2025-03-30 00:45"},
	} {
		times, err := ParseCron(tt.cron, zone)
		if err != nil {
			t.Fatal(err)
		}
		moment := func(text string) time.Time {
			at, err := time.Parse("2006-01-02 15:04", text)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		board := status.NewBoard()
		board.Add(status.Job{Name: "app", Plans: map[event.Kind]status.Plan{event.Backup: {Next: times.Next}}})
		board.Seed("app", []status.Backup{{ID: "a", At: moment(tt.made)}}, nil, nil)
		state, _ := board.Named("app")
		if got := state.Fresh[event.Backup].Until; !got.Equal(moment(tt.until)) {
			t.Errorf("%s, made at %s: it will do until %s, want %s", tt.cron, tt.made, got.UTC(), tt.until)
		}
		if got := board.Health(moment(tt.until)); got != nil {
			t.Errorf("%s, made at %s: %v", tt.cron, tt.made, got)
		}
		if got := board.Health(moment(tt.until).Add(time.Second)); len(got) != 1 {
			t.Errorf("%s, made at %s: %v", tt.cron, tt.made, got)
		}
	}
}

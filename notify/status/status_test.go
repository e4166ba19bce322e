package status

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a board with a clock that only the test moves.
type world struct {
	*Board
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T, now string) *world {
	w := &world{t: t, now: at(now)}
	w.Board = &Board{now: func() time.Time { return w.now }}
	return w
}

// at is a time of UTC, as "2026-03-02 02:30" or with seconds.
func at(text string) time.Time {
	for _, form := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(form, text); err == nil {
			return t
		}
	}
	panic(text)
}

// hear has the board hear something at a time, of backups of app.
func (w *world) hear(when string, what event.What) { w.hearOf("app", event.Backup, when, what) }

func (w *world) hearOf(job string, kind event.Kind, when string, what event.What) {
	w.t.Helper()
	w.now = at(when)
	e := event.Event{Run: event.Run{Kind: kind, Job: job}, At: w.now, What: what}
	if err := w.Hear(context.Background(), e); err != nil {
		w.t.Error(err)
	}
}

// run has a backup of app begin and end. Its id is empty where it fails.
func (w *world) run(began, ended, id string) {
	w.hear(began, event.Begun{})
	w.hear(began, event.Phase{Name: event.Dump})
	end := event.Ended{Began: at(began), Safe: true, Snapshot: event.Snapshot{ID: id}}
	if id == "" {
		end = event.Ended{Began: at(began), Error: "dump: connection refused by db.secret.example", ExitCode: 1}
	}
	w.hear(ended, end)
}

func (w *world) state(job string) State {
	w.t.Helper()
	s, found := w.Named(job)
	if !found {
		w.t.Fatalf("there is no job %s", job)
	}
	return s
}

var errAway = errors.New("dial: no route to host")

// Plans as cron and intervals make them.

func nightly() Plan {
	return Plan{Text: "30 2 * * *", Next: func(t time.Time) time.Time { return nextDay(t, func(time.Time) bool { return true }) }}
}

func weekly() Plan {
	return Plan{Text: "30 2 * * 0", Next: func(t time.Time) time.Time {
		return nextDay(t, func(day time.Time) bool { return day.Weekday() == time.Sunday })
	}}
}

func monthly() Plan {
	return Plan{Text: "30 2 1 * *", Next: func(t time.Time) time.Time {
		return nextDay(t, func(day time.Time) bool { return day.Day() == 1 })
	}}
}

func nextDay(t time.Time, is func(time.Time) bool) time.Time {
	t = t.UTC()
	for day := 0; ; day++ {
		due := time.Date(t.Year(), t.Month(), t.Day()+day, 2, 30, 0, 0, time.UTC)
		if due.After(t) && is(due) {
			return due
		}
	}
}

func hourly() Plan {
	return Plan{Text: "0 * * * *", Next: func(t time.Time) time.Time { return t.UTC().Truncate(time.Hour).Add(time.Hour) }}
}

func every(d time.Duration) Plan {
	return Plan{Text: "every " + d.String(), Next: func(t time.Time) time.Time { return t.Add(d) }}
}

func app(plan Plan) Job {
	return Job{Name: "app", Host: "db", Plans: map[event.Kind]Plan{event.Backup: plan}}
}

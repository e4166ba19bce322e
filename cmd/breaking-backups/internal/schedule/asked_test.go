package schedule

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// A run that is asked for begins at once, moves none of the schedule's, and is not lost where one
// goes on already.
func TestAskedRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		asked := make(chan struct{}, 1)
		began := time.Now()
		var runs, dues []time.Duration
		done := make(chan error, 1)
		go func() {
			done <- loop{
				Timetable: Timetable{Times: everyHourOf{began}}, clock: bubbleClock{began}, log: slog.New(slog.DiscardHandler), asked: asked,
				told: func(due time.Time) { dues = append(dues, due.Sub(began)) },
				run: func(context.Context) {
					runs = append(runs, time.Since(began))
					time.Sleep(5 * time.Minute)
				},
			}.loop(ctx)
		}()
		time.Sleep(10 * time.Minute)
		asked <- struct{}{}
		time.Sleep(2 * time.Minute)
		asked <- struct{}{} // while it goes on
		time.Sleep(115 * time.Minute)
		cancel(exit.Interruption{Signal: syscall.SIGTERM})
		if err := <-done; !errors.As(err, new(exit.Interruption)) {
			t.Errorf("%v", err)
		}
		want := []time.Duration{10 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour}
		if len(runs) != len(want) {
			t.Fatalf("runs at %v, want %v", runs, want)
		}
		for i := range want {
			if runs[i] != want[i] {
				t.Errorf("run %d at %v, want %v", i, runs[i], want[i])
			}
		}
		if first, last := dues[0], dues[len(dues)-1]; first != time.Hour || last != 3*time.Hour {
			t.Errorf("due %v", dues)
		}
	})
}

// everyHourOf is due each whole hour from a moment on.
type everyHourOf struct{ began time.Time }

func (e everyHourOf) Next(t time.Time) time.Time {
	return e.began.Add(t.Sub(e.began).Truncate(time.Hour) + time.Hour)
}

// bubbleClock is the clock of a test's bubble, whose time passes while all wait.
type bubbleClock struct{ began time.Time }

func (bubbleClock) now() time.Time          { return time.Now() }
func (b bubbleClock) passed() time.Duration { return time.Since(b.began) }
func (bubbleClock) wait(ctx context.Context, d time.Duration) {
	systemClock{}.wait(ctx, d)
}

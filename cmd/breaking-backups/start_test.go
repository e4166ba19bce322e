package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// looped runs a loop for a while of a made-up time that begins at start, each run taking what took says, and returns
// when runs began.
func looped(t *testing.T, l loop, start time.Time, while time.Duration, took func(run int) time.Duration) (began []time.Time, log string) {
	t.Helper()
	var out bytes.Buffer
	l.log = logger{Logger: slog.New(slog.NewTextHandler(&out, nil))}
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(start)) // the bubble's clock begins in 2000; nothing waits
		ctx, cancel := context.WithTimeoutCause(t.Context(), while, interruption{syscall.SIGTERM})
		defer cancel()
		running := false
		l.run = func(context.Context) {
			if running {
				t.Error("two runs at once")
			}
			running = true
			began = append(began, time.Now())
			<-time.After(took(len(began)))
			running = false
		}
		var signal interruption
		if err := l.loop(ctx); !errors.As(err, &signal) {
			t.Errorf("loop: %v", err)
		}
	})
	return began, out.String()
}

func shortRun(int) time.Duration { return time.Second }

func clockTimes(times []time.Time, zone *time.Location) string {
	var shown []string
	for _, t := range times {
		shown = append(shown, t.In(zone).Format("02 15:04:05"))
	}
	return strings.Join(shown, ", ")
}

func TestLoop(t *testing.T) {
	amsterdam := mustLoad(t, "Europe/Amsterdam")
	everyQuarter := mustParseCron(t, "*/15 * * * *", amsterdam)
	night := mustParseCron(t, "30 2 * * *", amsterdam)
	slowFirst := func(run int) time.Duration {
		if run == 1 {
			return 40 * time.Minute
		}
		return time.Minute
	}
	tests := []struct {
		name  string
		loop  loop
		start time.Time
		while time.Duration
		took  func(int) time.Duration
		want  string
		log   string
	}{
		{
			"an interval counts from start to start",
			loop{schedule: interval(10 * time.Minute), atOnce: true},
			time.Date(2000, 1, 2, 12, 0, 0, 0, amsterdam), 25 * time.Minute, shortRun,
			"02 12:00:00, 02 12:10:00, 02 12:20:00", "waiting for the next run",
		},
		{
			"a run that takes longer than the interval",
			loop{schedule: interval(10 * time.Minute), atOnce: true},
			time.Date(2000, 1, 2, 12, 0, 0, 0, amsterdam), 65 * time.Minute, slowFirst,
			"02 12:00:00, 02 12:50:00, 02 13:00:00", "missed=4",
		},
		{
			"cron waits for its time",
			loop{schedule: everyQuarter},
			time.Date(2000, 1, 2, 12, 1, 0, 0, amsterdam), 40 * time.Minute, shortRun,
			"02 12:15:00, 02 12:30:00", "waiting for the first run",
		},
		{
			"cron, also at start",
			loop{schedule: everyQuarter, atOnce: true},
			time.Date(2000, 1, 2, 12, 1, 0, 0, amsterdam), 30 * time.Minute, shortRun,
			"02 12:01:00, 02 12:15:00, 02 12:30:00", "",
		},
		{
			"cron, ticks missed by a slow run",
			loop{schedule: everyQuarter},
			time.Date(2000, 1, 2, 12, 10, 0, 0, amsterdam), time.Hour, slowFirst,
			"02 12:15:00, 02 13:00:00", "missed=2",
		},
		{
			"the night the clock goes forward",
			loop{schedule: night},
			time.Date(2000, 3, 25, 12, 0, 0, 0, amsterdam), 48 * time.Hour, shortRun,
			"26 03:30:00, 27 02:30:00", "",
		},
		{
			"the night the clock goes back",
			loop{schedule: night},
			time.Date(2000, 10, 28, 12, 0, 0, 0, amsterdam), 48 * time.Hour, shortRun,
			"29 02:30:00, 30 02:30:00", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began, log := looped(t, tt.loop, tt.start, tt.while, tt.took)
			if diff := cmp.Diff(tt.want, clockTimes(began, amsterdam)); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if !strings.Contains(log, tt.log) || !strings.Contains(log, "interrupted by SIGTERM") {
				t.Errorf("log:\n%s", log)
			}
			if tt.log != "missed=4" && tt.log != "missed=2" && strings.Contains(log, "missed") {
				t.Errorf("nothing was missed, but the log says:\n%s", log)
			}
		})
	}
}

func TestLoopJitter(t *testing.T) {
	start := time.Date(2000, 1, 2, 12, 0, 0, 0, time.UTC)
	l := loop{schedule: interval(time.Hour), atOnce: true, jitter: 20 * time.Minute}
	began, _ := looped(t, l, start, 100*time.Hour, shortRun)
	if len(began) < 99 {
		t.Fatalf("%d runs", len(began))
	}
	spread := map[time.Duration]bool{}
	for i, at := range began {
		late := at.Sub(start.Add(time.Duration(i) * time.Hour))
		if late < 0 || late >= 20*time.Minute {
			t.Errorf("run %d begins %s after it is due", i, late)
		}
		spread[late.Truncate(time.Minute)] = true
	}
	if len(spread) < 5 {
		t.Errorf("100 runs fall on %d different minutes", len(spread))
	}
}

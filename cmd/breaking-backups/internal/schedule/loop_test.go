package schedule

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// played runs a loop for a while of a made-up time that begins at start, each run taking what took
// says, and returns when runs began, as the clock showed it.
func played(t *testing.T, l loop, clock *playedClock, while time.Duration, took func(run int) time.Duration) (began []time.Time, log string) {
	t.Helper()
	var out bytes.Buffer
	l.log = slog.New(slog.NewTextHandler(&out, nil))
	ctx, cancel := context.WithCancelCause(t.Context())
	clock.end, clock.over = while, func() { cancel(exit.Interruption{Signal: syscall.SIGTERM}) }
	l.clock = clock
	l.run = func(context.Context) {
		began = append(began, clock.now())
		clock.pass(took(len(began)))
	}
	var signal exit.Interruption
	if err := l.loop(ctx); !errors.As(err, &signal) {
		t.Errorf("loop: %v", err)
	}
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
			loop{Timetable: Timetable{Times: Interval(10 * time.Minute), AtOnce: true}},
			time.Date(2000, 1, 2, 12, 0, 0, 0, amsterdam), 25 * time.Minute, shortRun,
			"02 12:00:00, 02 12:10:00, 02 12:20:00", "waiting for the next run",
		},
		{
			"a run that takes longer than the interval",
			loop{Timetable: Timetable{Times: Interval(10 * time.Minute), AtOnce: true}},
			time.Date(2000, 1, 2, 12, 0, 0, 0, amsterdam), 65 * time.Minute, slowFirst,
			"02 12:00:00, 02 12:50:00, 02 13:00:00", "missed=4",
		},
		{
			"cron waits for its time",
			loop{Timetable: Timetable{Times: everyQuarter}},
			time.Date(2000, 1, 2, 12, 1, 0, 0, amsterdam), 40 * time.Minute, shortRun,
			"02 12:15:00, 02 12:30:00", "waiting for the first run",
		},
		{
			"cron, also at start",
			loop{Timetable: Timetable{Times: everyQuarter, AtOnce: true}},
			time.Date(2000, 1, 2, 12, 1, 0, 0, amsterdam), 30 * time.Minute, shortRun,
			"02 12:01:00, 02 12:15:00, 02 12:30:00", "",
		},
		{
			"cron, ticks missed by a slow run",
			loop{Timetable: Timetable{Times: everyQuarter}},
			time.Date(2000, 1, 2, 12, 10, 0, 0, amsterdam), time.Hour, slowFirst,
			"02 12:15:00, 02 13:00:00", "missed=2",
		},
		{
			"the night the clock goes forward",
			loop{Timetable: Timetable{Times: night}},
			time.Date(2000, 3, 25, 12, 0, 0, 0, amsterdam), 48 * time.Hour, shortRun,
			"26 03:30:00, 27 02:30:00", "",
		},
		{
			"the night the clock goes back",
			loop{Timetable: Timetable{Times: night}},
			time.Date(2000, 10, 28, 12, 0, 0, 0, amsterdam), 48 * time.Hour, shortRun,
			"29 02:30:00, 30 02:30:00", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began, log := played(t, tt.loop, &playedClock{start: tt.start}, tt.while, tt.took)
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
	l := loop{Timetable: Timetable{Times: Interval(time.Hour), AtOnce: true, Jitter: 20 * time.Minute}}
	began, _ := played(t, l, &playedClock{start: start}, 100*time.Hour, shortRun)
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

// A clock that is set while the loop waits or a run goes on.
func TestLoopWhileTheClockIsSet(t *testing.T) {
	night := mustParseCron(t, "30 2 * * *", time.UTC)
	quarter := mustParseCron(t, "*/15 * * * *", time.UTC)
	day := func(year, day, hour, minute int) time.Time {
		return time.Date(year, 1, day, hour, minute, 0, 0, time.UTC)
	}
	const year = 365 * 24 * time.Hour
	long := func(int) time.Duration { return 20 * time.Minute }
	tests := []struct {
		name  string
		loop  loop
		start time.Time
		set   []jump
		while time.Duration
		took  func(int) time.Duration
		want  []time.Time
		log   string // "" if nothing is to be told
	}{
		{
			"a year too late at boot, put right after seconds",
			loop{Timetable: Timetable{Times: night}},
			day(2027, 2, 12, 0),
			[]jump{{5 * time.Second, -year}},
			30 * time.Hour, shortRun,
			[]time.Time{day(2026, 3, 2, 30)},
			`the clock was set back: the next run is reckoned anew" was=2027-01-03T02:30:00.000Z due=2026-01-03T02:30:00.000Z`,
		},
		{
			"1970 at boot, put right after seconds",
			loop{Timetable: Timetable{Times: night}},
			day(1970, 1, 0, 0),
			[]jump{{5 * time.Second, day(2026, 2, 12, 0).Sub(day(1970, 1, 0, 0))}},
			30 * time.Hour, shortRun,
			[]time.Time{day(2026, 3, 2, 30)},
			`the clock was set forward over more than one run: the next is reckoned anew" was=1970-01-01T02:30:00.000Z due=2026-01-03T02:30:00.000Z`,
		},
		{
			"1970 at boot, put right during the first run",
			loop{Timetable: Timetable{Times: quarter, AtOnce: true, Prompt: true}},
			day(1970, 1, 0, 1),
			[]jump{{5 * time.Minute, day(2026, 2, 12, 0).Sub(day(1970, 1, 0, 0))}},
			31 * time.Minute, long,
			[]time.Time{day(1970, 1, 0, 1), day(2026, 2, 12, 30)},
			"missed_at_least=100",
		},
		{
			"an interval does not mind",
			loop{Timetable: Timetable{Times: Interval(time.Hour), AtOnce: true}},
			day(2027, 2, 12, 0),
			[]jump{{5 * time.Second, -year}, {90 * time.Minute, 3 * year}},
			150 * time.Minute, shortRun,
			[]time.Time{day(2027, 2, 12, 0), day(2027, 2, 13, 0).Add(-year), day(2027, 2, 14, 0).Add(2 * year)},
			"",
		},
		{
			"nor does one that cron's words ask for",
			loop{Timetable: Timetable{Times: mustParseCron(t, "@every 1h", time.UTC)}},
			day(2027, 2, 12, 0),
			[]jump{{5 * time.Second, -year}},
			90 * time.Minute, shortRun,
			[]time.Time{day(2027, 2, 13, 0).Add(-year)},
			"",
		},
		{
			"a little back over a run that was made: not made again",
			loop{Timetable: Timetable{Times: night}},
			day(2026, 2, 0, 0),
			[]jump{{150*time.Minute + 10*time.Second, -time.Minute}},
			48 * time.Hour, shortRun,
			[]time.Time{day(2026, 2, 2, 30), day(2026, 3, 2, 30)},
			"",
		},
		{
			"the same while it was made",
			loop{Timetable: Timetable{Times: quarter}},
			day(2026, 2, 0, 0),
			[]jump{{16 * time.Minute, -8 * time.Minute}},
			61 * time.Minute, func(int) time.Duration { return 2 * time.Minute },
			[]time.Time{day(2026, 2, 0, 15), day(2026, 2, 0, 30), day(2026, 2, 0, 45)},
			"the clock was set back",
		},
		{
			"a little back, over nothing: the run is due when the clock says so",
			loop{Timetable: Timetable{Times: night}},
			day(2026, 2, 0, 0),
			[]jump{{time.Hour, -30 * time.Minute}},
			4 * time.Hour, shortRun,
			[]time.Time{day(2026, 2, 2, 30)},
			"",
		},
		{
			"forward over one run: it is late",
			loop{Timetable: Timetable{Times: night}},
			day(2026, 2, 0, 0),
			[]jump{{time.Hour, 3 * time.Hour}},
			4 * time.Hour, shortRun,
			[]time.Time{day(2026, 2, 4, 0)},
			"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began, log := played(t, tt.loop, &playedClock{start: tt.start, set: tt.set}, tt.while, tt.took)
			if diff := cmp.Diff(tt.want, began); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if warned := strings.Contains(log, "WARN"); warned != (tt.log != "") || !strings.Contains(log, tt.log) {
				t.Errorf("log, want %q:\n%s", tt.log, log)
			}
		})
	}
}

// A machine that slept over runs makes one when it wakes up.
func TestLoopAfterSleep(t *testing.T) {
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, s := range []Times{mustParseCron(t, "0 * * * *", time.UTC), Interval(time.Hour)} {
		sleep := []time.Duration{0, 5*time.Hour + 30*time.Minute}
		clock := &playedClock{start: start, sleeps: func() time.Duration {
			if len(sleep) == 0 {
				return 0
			}
			d := sleep[0]
			sleep = sleep[1:]
			return d
		}}
		began, log := played(t, loop{Timetable: Timetable{Times: s}}, clock, 7*time.Hour, shortRun)
		want := []time.Time{start.Add(5*time.Hour + 32*time.Minute), start.Add(6 * time.Hour)}
		if diff := cmp.Diff(want, began); diff != "" {
			t.Errorf("%v: runs (-want +got):\n%s", s, diff)
		}
		if !strings.Contains(log, "missed=4") {
			t.Errorf("%v: log:\n%s", s, log)
		}
	}
}

// A jitter longer than the time between two runs loses none, and is told at start; each wait for it
// is.
func TestLoopJitterLongerThanItMayBe(t *testing.T) {
	start := time.Date(2026, 1, 2, 12, 1, 0, 0, time.UTC)
	for _, s := range []Times{mustParseCron(t, "*/15 * * * *", time.UTC), Interval(15 * time.Minute)} {
		began, log := played(t, loop{Timetable: Timetable{Times: s, Jitter: 24 * time.Hour}}, &playedClock{start: start}, 100*time.Hour, func(int) time.Duration { return 0 })
		if len(began) < 398 || strings.Contains(log, "missed") {
			t.Errorf("%v: %d runs in 400 quarters of an hour, log:\n%.2000s", s, len(began), log)
		}
		if strings.Count(log, "SCHEDULE_JITTER_SECONDS is longer") != 1 || !strings.Contains(log, "between=15m") {
			t.Errorf("%v: log:\n%.2000s", s, log)
		}
		if waits := strings.Count(log, "begins later by jitter"); waits < len(began) {
			t.Errorf("%v: %d waits are told, of %d", s, waits, len(began))
		}
	}
}

func TestRunOnStartHasNoJitter(t *testing.T) {
	start := time.Date(2026, 1, 2, 12, 1, 0, 0, time.UTC)
	for _, s := range []Times{mustParseCron(t, "0 0 * * *", time.UTC), Interval(24 * time.Hour)} {
		began, log := played(t, loop{Timetable: Timetable{Times: s, AtOnce: true, Prompt: true, Jitter: 10 * time.Hour}}, &playedClock{start: start}, time.Hour, shortRun)
		if len(began) != 1 || !began[0].Equal(start) || strings.Contains(log, "jitter") {
			t.Errorf("%v: runs at %v, log:\n%s", s, began, log)
		}
	}
}

package schedule

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// countedSchedule counts what it is asked.
type countedSchedule struct {
	Times
	asked *int
}

func (s countedSchedule) Next(t time.Time) time.Time { *s.asked++; return s.Times.Next(t) }

// However a clock is set, by minutes or by decades: each run is due at a moment that the schedule
// names; there are no more of them than that moments were shown, but for one for each time that the
// clock was set; after that none is waited for longer than there is between two, or half as long
// again where one that was served is left out; and the schedule is asked no more often than runs
// and settings explain.
func TestLoopUnderAnyClock(t *testing.T) {
	kinds := []struct {
		spec, zone string
		longest    time.Duration // between two moments
	}{
		{"*/15 * * * *", "UTC", 15 * time.Minute},
		{"30 2 * * *", "Europe/Amsterdam", 25 * time.Hour},
		{"0 */6 * * *", "America/New_York", 7 * time.Hour},
		{"45 1 * * *", "Australia/Lord_Howe", 25 * time.Hour},
		{"0 0 * * 1", "America/Sao_Paulo", 7*24*time.Hour + time.Hour},
		{"17 3 * * *", "Pacific/Apia", 49 * time.Hour},
	}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 13))
		kind := kinds[seed%uint64(len(kinds))]
		named := mustParseCron(t, kind.spec, mustLoad(t, kind.zone))
		clock := &playedClock{start: time.Date(2011, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(int64(400 * 24 * time.Hour))))}
		clock.end = 40 * kind.longest
		for at := time.Duration(0); at < clock.end; at += time.Duration(random.Int64N(int64(4 * kind.longest))) {
			by := time.Duration(random.ExpFloat64() * float64([]time.Duration{time.Second, time.Minute, kind.longest, 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour}[random.IntN(5)]))
			if clock.off+by > 60*365*24*time.Hour || random.IntN(2) == 0 {
				by = -by
			}
			clock.off += by
			clock.set = append(clock.set, jump{at, by})
		}
		clock.off = 0
		settings := slices.Clone(clock.set)

		asked := 0
		ctx, cancel := context.WithCancelCause(t.Context())
		clock.over = func() { cancel(exit.Interruption{Signal: syscall.SIGTERM}) }
		var log bytes.Buffer
		l := loop{Timetable: Timetable{Times: countedSchedule{named, &asked}}, clock: clock, log: slog.New(slog.NewTextHandler(&log, nil))}
		type run struct {
			at    time.Duration
			shown time.Time
		}
		var runs []run
		l.run = func(context.Context) {
			runs = append(runs, run{clock.true, clock.now()})
			clock.pass(time.Duration(random.Int64N(int64(kind.longest / 20))))
		}
		_ = l.loop(ctx)

		lastSet := func(before time.Duration) (at time.Duration) {
			for _, s := range settings {
				if s.at <= before {
					at = s.at
				}
			}
			return at
		}
		for i, r := range runs {
			late := r.shown.Sub(named.Next(r.shown.Add(-kind.longest - time.Second)))
			if sameSince := r.at - lastSet(r.at); sameSince > lookAgain { // nothing but the schedule explains it
				late = r.shown.Sub(named.Next(r.shown.Add(-time.Second)))
				if late < 0 || late > time.Second {
					t.Errorf("seed %d: a run at %s, which %q does not name", seed, r.shown, kind.spec)
				}
			} else if late < 0 {
				t.Errorf("seed %d: a run at %s, and no moment of %q shortly before", seed, r.shown, kind.spec)
			}
			from := time.Duration(0)
			if i > 0 {
				from = runs[i-1].at
			}
			if set := lastSet(r.at); set > from {
				from = set
			}
			if wait := r.at - from; wait > kind.longest*3/2+lookAgain {
				t.Errorf("seed %d: %s without a run of %q", seed, wait, kind.spec)
			}
		}
		moments, from, off := 0, time.Duration(0), time.Duration(0)
		for _, s := range append(settings, jump{clock.end, 0}) {
			end := clock.start.Add(s.at + off)
			for at := named.Next(clock.start.Add(from + off)); !at.After(end); at = named.Next(at) {
				moments++
			}
			from, off = s.at, off+s.by
		}
		if len(runs) > moments+len(settings) {
			t.Errorf("seed %d: %d runs of %q, whose moments were shown %d times, the clock having been set %d times", seed, len(runs), kind.spec, moments, len(settings))
		}
		if most := 10*(len(runs)+1) + (mostTold+10)*len(settings); asked > most {
			t.Errorf("seed %d: %q was asked %d times for %d runs", seed, kind.spec, asked, len(runs))
		}
		if len(runs) == 0 {
			t.Errorf("seed %d: no run of %q", seed, kind.spec)
		}
		if t.Failed() {
			t.Fatalf("settings %v\n%.4000s", settings, log.String())
		}
	}
}

// An interval is kept in time that passes, however the clock is set.
func TestIntervalUnderAnyClock(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 13))
		clock := &playedClock{start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		for at := time.Duration(0); at < 100*time.Hour; at += time.Duration(random.Int64N(int64(5 * time.Hour))) {
			clock.set = append(clock.set, jump{at, time.Duration(random.NormFloat64() * float64(24*time.Hour))})
		}
		var at []time.Duration
		l := loop{Timetable: Timetable{Times: Interval(time.Hour), AtOnce: true}}
		_, log := played(t, l, clock, 100*time.Hour, func(int) time.Duration {
			at = append(at, clock.true)
			return time.Duration(random.Int64N(int64(59 * time.Minute)))
		})
		for i, passed := range at {
			if passed != time.Duration(i)*time.Hour {
				t.Fatalf("seed %d: run %d after %s\n%s", seed, i, passed, log)
			}
		}
		if len(at) != 100 || strings.Contains(log, "WARN") {
			t.Errorf("seed %d: %d runs in 100 hours\n%s", seed, len(at), log)
		}
	}
}

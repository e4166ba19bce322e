package schedule

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// A Runner runs something on a schedule.
type Runner struct {
	Timetable
	Log   *slog.Logger // is told when runs are due, which are missed, and that a clock was set
	Run   func(context.Context)
	Due   func(time.Time) // is told when the next run is due, as the wall clock will show it; nil: nobody is
	Asked <-chan struct{} // has a run begin between those of the schedule; nil: nobody asks for any
}

// Loop runs when the timetable says, or somebody asks, until ctx ends, and returns its cause. A run
// that goes on then is waited for.
func (r Runner) Loop(ctx context.Context) error {
	return loop{Timetable: r.Timetable, clock: systemClock{}, log: r.Log, run: r.Run, told: r.Due, asked: r.Asked}.loop(ctx)
}

// loop runs something on a schedule. A cron schedule follows the wall clock, whatever that shows: a
// machine that slept, or whose clock was set, runs when its clock says so. An interval is of time
// that passes, which nobody sets.
type loop struct {
	Timetable
	clock clock
	log   *slog.Logger
	run   func(context.Context)
	told  func(due time.Time) // nil: nobody is
	asked <-chan struct{}     // nil: nobody asks
}

const (
	lookAgain = time.Minute      // how long a wait goes on before it looks at the clock again
	clockSlip = 10 * time.Second // by so much more than time has passed does a clock move that was set
	mostTold  = 100              // runs missed are counted up to here; a clock set from 1970 to today has skipped more
)

// loop returns when ctx ends, with its cause. A run that goes on then is waited for.
func (l loop) loop(ctx context.Context) error {
	if every, ok := l.Times.(Interval); ok {
		steady := newSteadyClock(l.clock)
		l.clock, l.Times = steady, every.from(steady.began)
	}
	l.warnOfJitter()
	due, served := l.clock.now(), time.Time{}
	prompt := l.AtOnce && l.Prompt
	if !l.AtOnce {
		due = l.Times.Next(due)
		l.log.Info("waiting for the first run", "due", l.shown(due))
	}
	for asked := false; ; {
		l.tell(due)
		if due, asked = l.await(ctx, due, served); !asked {
			served = due
			if !prompt {
				l.waitJitter(ctx, served)
			}
			prompt = false
		}
		if ctx.Err() == nil {
			l.run(ctx)
		}
		if ctx.Err() != nil {
			l.log.Info("ended", "reason", context.Cause(ctx))
			return exit.ReportedError{Err: context.Cause(ctx)}
		}
		if !asked {
			due = l.next(served)
		}
	}
}

// tell says when the next run is due.
func (l loop) tell(due time.Time) {
	if l.told != nil {
		l.told(l.shown(due))
	}
}

// await waits until it is time for a run, and returns the moment at which that one was due. It is
// due, unless the clock was set meanwhile: what lies between the readings before and after was
// never shown, or is shown again. served is when the run before was due. When ctx ends, await does,
// and when a run is asked for before: then asked is true, and the moment that of the next one.
func (l loop) await(ctx context.Context, due, served time.Time) (_ time.Time, asked bool) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	wakes := make(chan bool, 1)
	go func() { // ends when await does, at the latest
		select {
		case <-l.asked:
			stop()
			wakes <- true
		case <-waiting.Done():
			wakes <- false
		}
	}()
	due = l.awaitDue(waiting, due, served)
	stop()
	return due, <-wakes && ctx.Err() == nil
}

// awaitDue is await for what is due.
func (l loop) awaitDue(ctx context.Context, due, served time.Time) time.Time {
	began := l.clock.now()
	last, lastPassed := began, l.clock.passed()
	for ctx.Err() == nil {
		now, passed := l.clock.now(), l.clock.passed()
		switch forward := now.Sub(last) - (passed - lastPassed); {
		case now.Before(began):
			fresh := l.after(now, served)
			if !fresh.Equal(due) {
				l.log.Warn("the clock was set back: the next run is reckoned anew",
					"was", l.shown(due), "due", l.shown(fresh), "clock", l.shown(now))
			}
			due, began = fresh, now
		case now.Before(due):
		case forward < clockSlip || l.Times.Next(due).After(now):
			return due // or late, after the machine's sleep, or because the clock left this one moment out
		default:
			fresh := l.after(now, served)
			l.log.Warn("the clock was set forward over more than one run: the next is reckoned anew",
				"was", l.shown(due), "due", l.shown(fresh), "clock", l.shown(now))
			due, began = fresh, now
		}
		last, lastPassed = now, passed
		l.clock.wait(ctx, min(due.Sub(now), lookAgain))
	}
	return due
}

// after is the first moment after now at which a run is due. A clock set back by a little shows the
// one that was served again: that is left out, unless it comes so late that the run after it would
// be too far away.
func (l loop) after(now, served time.Time) time.Time {
	next := l.Times.Next(now)
	if !next.Equal(served) {
		return next
	}
	if following := l.Times.Next(next); next.Sub(now) < following.Sub(next)/2 {
		return following
	}
	return next
}

// next is when the run after the one that was due at served is due. Those that became due in the
// meantime are missed.
func (l loop) next(served time.Time) time.Time {
	now := l.clock.now()
	if now.Before(served) {
		next := l.after(now, served)
		l.log.Warn("the clock was set back: the next run is reckoned anew", "due", l.shown(next), "clock", l.shown(now))
		return next
	}
	first := l.Times.Next(served)
	next, missed := first, 0
	for ; !next.After(now) && missed < mostTold; next = l.Times.Next(next) {
		missed++
	}
	fields := []any{"missed", missed, "first", l.shown(first)}
	if !next.After(now) {
		next = l.Times.Next(now)
		fields[0] = "missed_at_least"
	}
	if missed == 0 {
		l.log.Info("waiting for the next run", "due", l.shown(next))
		return next
	}
	l.log.Warn("runs missed: the one before still went on, the machine slept, or its clock was set",
		append(fields, "next", l.shown(next))...)
	return next
}

// waitJitter waits for a random part of the jitter, less than there is until the run after the one
// due at served. It is a wait for time to pass: the moment has come, whatever the clock shows next.
func (l loop) waitJitter(ctx context.Context, served time.Time) {
	most := min(l.Jitter, l.Times.Next(served).Sub(served))
	if most <= 0 || ctx.Err() != nil {
		return
	}
	wait := rand.N(most)
	l.log.Info("a run is due, and begins later by jitter", "due", l.shown(served), "wait", wait)
	for end := l.clock.passed() + wait; ctx.Err() == nil; {
		left := end - l.clock.passed()
		if left <= 0 {
			return
		}
		l.clock.wait(ctx, min(left, lookAgain))
	}
}

// warnOfJitter says so if the jitter is longer than it can be, between two of the runs to come.
func (l loop) warnOfJitter() {
	if l.Jitter <= 0 {
		return
	}
	nearest, from := l.Jitter, l.Times.Next(l.clock.now())
	for range mostTold {
		next := l.Times.Next(from)
		nearest, from = min(nearest, next.Sub(from)), next
	}
	if nearest < l.Jitter {
		l.log.Warn("SCHEDULE_JITTER_SECONDS is longer than the time between two runs: it ends where the next run is due",
			"jitter", l.Jitter, "between", nearest)
	}
}

// shown is a moment of the loop's time as the wall clock will show it.
func (l loop) shown(t time.Time) time.Time {
	if steady, ok := l.clock.(steadyClock); ok {
		return steady.shown(t)
	}
	return t
}

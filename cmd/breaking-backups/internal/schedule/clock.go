package schedule

import (
	"context"
	"time"
)

// clock is what a loop knows of time.
type clock interface {
	// now is what the wall clock shows. Anybody may set it, at any moment, to any time.
	now() time.Time
	// passed is how much time has gone by since a moment in the past, a machine's sleep included.
	// Nobody sets it.
	passed() time.Duration
	// wait returns after d of the time that the machine is awake, or when ctx ends.
	wait(ctx context.Context, d time.Duration)
}

// systemClock is the machine's.
type systemClock struct{}

func (systemClock) now() time.Time { return time.Now().Round(0) } // without the reading that Go itself would reckon with

var processStart = time.Now()

func (systemClock) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// steadyClock is a clock that nobody sets: it shows what another one showed once, and how much time
// has passed since.
type steadyClock struct {
	clock
	began time.Time
	at    time.Duration // when it began
}

func newSteadyClock(c clock) steadyClock { return steadyClock{c, c.now(), c.passed()} }

func (s steadyClock) now() time.Time { return s.began.Add(s.passed() - s.at) }

// shown is what the other clock will show at t, if nobody sets it until then.
func (s steadyClock) shown(t time.Time) time.Time {
	return s.clock.now().Add(t.Sub(s.now())).Round(time.Second)
}

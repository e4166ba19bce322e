package schedule

import (
	"context"
	"testing"
	"time"
)

// playedClock is a clock of a made-up time, in which nothing waits: whoever waits moves it on.
type playedClock struct {
	start time.Time     // what the wall clock shows at first
	true  time.Duration // that has passed
	end   time.Duration // at which over is called
	over  func()

	set    []jump // to come, in order
	off    time.Duration
	sleeps func() time.Duration // how long the machine sleeps at the end of a wait; may be nil
}

// jump is what a clock makes when it is set.
type jump struct {
	at time.Duration // of the time that has passed
	by time.Duration
}

func (c *playedClock) now() time.Time {
	for len(c.set) > 0 && c.set[0].at <= c.true {
		c.off += c.set[0].by
		c.set = c.set[1:]
	}
	return c.start.Add(c.true + c.off)
}

func (c *playedClock) passed() time.Duration { return c.true }

func (c *playedClock) wait(ctx context.Context, d time.Duration) {
	if ctx.Err() != nil {
		return
	}
	if c.sleeps != nil {
		d += c.sleeps()
	}
	c.pass(d)
}

func (c *playedClock) pass(d time.Duration) {
	c.true += d
	if c.true >= c.end {
		c.over()
	}
}

// The machine's clocks agree, and a wait ends with its context.
func TestSystemClock(t *testing.T) {
	var c systemClock
	now, passed := c.now(), c.passed()
	c.wait(t.Context(), 20*time.Millisecond)
	if took := c.passed() - passed; took < 20*time.Millisecond {
		t.Errorf("a wait of 20 ms took %s", took)
	}
	if shown := c.now().Sub(now); shown < 10*time.Millisecond || shown > time.Minute {
		t.Errorf("the clock moved by %s in 20 ms", shown)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.wait(ctx, time.Hour)
}

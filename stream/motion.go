package stream

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Side is one of the two between whom a stream passes.
type Side int

const (
	Producer Side = 1 + iota
	Consumer
)

// StallError is why a stream was ended whose consumer took nothing any more.
type StallError struct{ After time.Duration }

func (e *StallError) Error() string {
	return fmt.Sprintf("nothing was taken for %s", e.After)
}

// stillAfter is how long a stream has not moved when that is told for the first time, stillEvery
// how often from then on.
const (
	stillAfter = 30 * time.Second
	stillEvery = time.Minute
)

// motion is what is known of a stream's moving. Times are nanoseconds since it began, by the clock
// that nobody sets; plus one, as zero is no time.
type motion struct {
	began   time.Time
	moved   atomic.Int64 // when a byte last passed
	writing atomic.Int64 // since when the producer waits; 0: it does not
	reading atomic.Int64 // since when the consumer waits
}

func newMotion() *motion {
	m := &motion{began: time.Now()}
	m.moved.Store(m.now())
	return m
}

func (m *motion) now() int64 { return int64(time.Since(m.began)) + 1 }

// wait notes that a side begins to wait for the other.
func (m *motion) wait(side *atomic.Int64) { side.Store(m.now()) }

// move notes that its wait is over, and that n bytes have passed.
func (m *motion) move(side *atomic.Int64, n int) {
	side.Store(0)
	if n > 0 {
		m.moved.Store(m.now())
	}
}

// still tells for how long nothing has moved, and who is waited for. The side is 0 while neither
// waits.
func (m *motion) still() (side Side, since time.Duration) {
	writing, reading := m.writing.Load(), m.reading.Load()
	switch {
	case writing > 0 && reading == 0:
		return Consumer, time.Duration(m.now() - max(writing, m.moved.Load()))
	case reading > 0 && writing == 0:
		return Producer, time.Duration(m.now() - max(reading, m.moved.Load()))
	}
	return 0, 0
}

// watch looks at the stream now and then, until stop is called, which waits for it: it tells who
// keeps it still, and ends it where the consumer has for too long and nothing is spilled. Only time
// in which it could look counts, as a process that is frozen does not see that it goes by.
func (m *motion) watch(o PipeOptions, end func(*StallError)) (stop func()) {
	if o.Still == nil && (o.Stall == 0 || o.Spill != nil) {
		return func() {}
	}
	every := time.Second
	if o.Stall > 0 {
		every = min(every, max(o.Stall/8, time.Millisecond))
	}
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		var before Side
		last, still, next := time.Now(), time.Duration(0), stillAfter
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			passed := time.Since(last)
			last = last.Add(passed)
			side, since := m.still()
			if side != before || since < passed { // another wait than at the last look
				before, still, next = side, 0, stillAfter
			}
			still += min(since, passed, 2*every)
			if side == 0 {
				continue
			}
			if still >= next && o.Still != nil {
				o.Still(side, still)
				next = still + stillEvery
			}
			if side == Consumer && o.Stall > 0 && still >= o.Stall && o.Spill == nil {
				end(&StallError{After: o.Stall})
				return
			}
		}
	})
	return func() {
		close(quit)
		watching.Wait()
	}
}

package process

import (
	"fmt"
	"sync"
	"time"
)

// StallError is why a restic was ended that did nothing any more: a store that takes a request and
// never answers keeps it waiting, and its own tries again, for a quarter of an hour and more.
type StallError struct{ After time.Duration }

func (e *StallError) Error() string {
	return fmt.Sprintf("restic has neither read nor written for %s", e.After)
}

// movement is how much a restic reads and writes at least in the time of Stall. Less is what it
// does when nothing comes: to wake itself up, to try again to connect.
const movement = 64 << 10

// progressInterval has restic not write a message about its progress 60 times a second, which
// nobody reads and which would count for movement.
const progressInterval = "RESTIC_PROGRESS_FPS=0.05"

// How long a restic is still before that is told, and how often from then on.
const (
	stillAfter = 30 * time.Second
	stillEvery = time.Minute
)

// longer is how many times Stall a restic may be still that has much to lose. By default that is 20
// minutes, a little more than restic itself tries again.
const longer = 4

// watch looks at a restic now and then, until stop is called, which waits for it. Only time in
// which it could look counts, as whoever is frozen, with restic, does not see that it goes by.
func (p *Program) watch(pid int, command Command, idle func() bool, end func(error)) (stop func()) {
	mark, ok := moved(pid)
	if !ok || p.Stall == 0 && p.Still == nil {
		return func() {}
	}
	limit, every := p.Stall, time.Second
	if p.Stall > 0 {
		every = min(every, max(p.Stall/8, time.Millisecond))
	}
	if command.Long {
		limit *= longer
	}
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		last, still, next := time.Now(), time.Duration(0), stillAfter
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			now, ok := moved(pid)
			if !ok {
				return // it has ended
			}
			still += min(time.Since(last), 2*every)
			last = time.Now()
			if now >= mark+movement || now < mark || idle() {
				mark, still, next = now, 0, stillAfter
				continue
			}
			if still >= next && p.Still != nil {
				p.Still(command.Op, still)
				next = still + stillEvery
			}
			if limit > 0 && still >= limit {
				end(&StallError{After: limit})
				return
			}
		}
	})
	return func() {
		close(quit)
		watching.Wait()
	}
}

// Package audience is who hears of a run, and what the run tells them by: a teller makes events of
// what happens, with no secret in them, and hands them to the log and to all who listen, none of
// whom it waits for but the log. What there is to tell is package event's; what a person can do
// about an error is said by whoever makes the teller.
package audience

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// A Listener hears what happens in a run.
//
// Hear is called with one event after the other, in their order, by one goroutine. It must return
// when ctx ends. Of a run that has ended it may take its time, and its error is then one of what
// follows the run; of any other event it is not waited for. A listener that is behind with these
// does not hear all of them, but always the first event and the last.
type Listener interface {
	Hear(ctx context.Context, e event.Event) error
}

// Bounds on telling listeners that a run has ended: the time they have, and the little there is
// once a signal has come and whoever sent it waits for the program to end. Who does not heed the
// end of his time is left behind a moment later.
const (
	endTime            = 2 * time.Minute
	endTimeInterrupted = 4 * time.Second
	endTimeUnheeded    = 200 * time.Millisecond
)

// behind is how many events a listener may be behind with.
const behind = 256

// An audience is who hears of one run. The log is its first listener, and heard in the run's own
// time, so that its lines stand where they belong; each of the others has a goroutine and a queue
// of its own, so that none holds the run or another.
type audience struct {
	mu     sync.Mutex // held while an event is handed out: all hear them in one order
	log    Listener   // nil: there is none
	others []*subscriber
}

// tell hands an event out. It does not wait for any but the log.
func (a *audience) tell(e event.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tellAll(e)
}

// tryTell is tell for what may be missed: it does not wait until others have told what they tell,
// which takes as long as a log stands still.
func (a *audience) tryTell(e event.Event) {
	if !a.mu.TryLock() {
		return
	}
	defer a.mu.Unlock()
	a.tellAll(e)
}

// tellAll is called with mu held.
func (a *audience) tellAll(e event.Event) {
	a.tellLog(e)
	for _, s := range a.others {
		s.tell(e)
	}
}

func (a *audience) tellLog(e event.Event) {
	if a.log != nil {
		_ = a.log.Hear(context.Background(), e)
	}
}

// end hands out that the run has ended, waits until all have heard it, and returns what went wrong
// for whom. It goes on for a while where ctx is cancelled, as that is worth telling too. What comes
// after it the log alone hears.
func (a *audience) end(ctx context.Context, e event.Event) error {
	a.mu.Lock()
	a.tellLog(e)
	others := a.others
	a.others = nil
	a.mu.Unlock()
	if len(others) == 0 {
		return nil
	}
	lingers, cancelLingering := exit.Lingering(ctx, endTimeInterrupted)
	defer cancelLingering()
	hearing, cancel := context.WithTimeout(lingers, endTime)
	defer cancel()
	var heard []<-chan error
	for _, s := range others {
		heard = append(heard, s.end(hearing, e))
	}
	var all []error
	for _, done := range heard {
		err := awaitHeard(hearing, done)
		if err != nil && lingers.Err() != nil {
			err = fmt.Errorf("%w, having waited %s more: %w", context.Cause(ctx), endTimeInterrupted, err)
		}
		if err != nil {
			all = append(all, err)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// awaitHeard returns what came of the last event for a listener, once it has heard it, or has no
// time left to.
func awaitHeard(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	unheeded := time.NewTimer(endTimeUnheeded)
	defer unheeded.Stop()
	select {
	case err := <-done:
		return err
	case <-unheeded.C:
		return fmt.Errorf("a listener has not ended: %w", context.Cause(ctx))
	}
}

// subscribe has others hear from now on, first the events that are given, in place of those who
// did. They have to be told of the end, or be replaced by nobody.
func (a *audience) subscribe(others []Listener, first ...event.Event) {
	a.mu.Lock()
	before := a.others
	a.others = nil
	for _, l := range others {
		s := newSubscriber(l)
		for _, e := range first {
			s.tell(e)
		}
		a.others = append(a.others, s)
	}
	a.mu.Unlock()
	for _, s := range before {
		s.leave()
	}
}

// A subscriber is a listener with what it has still to hear. It is told by one goroutine at a time,
// the last by end or leave.
type subscriber struct {
	Listener
	queue   chan event.Event   // what comes before the last
	drained chan struct{}      // closed once all that was in the queue is heard
	hurry   context.CancelFunc // ends the time for that
}

func newSubscriber(l Listener) *subscriber {
	ctx, cancel := context.WithCancel(context.Background())
	s := &subscriber{Listener: l, queue: make(chan event.Event, behind), drained: make(chan struct{}), hurry: cancel}
	go func() {
		defer close(s.drained)
		for e := range s.queue {
			_ = l.Hear(ctx, e)
		}
	}()
	return s
}

// tell has the listener hear an event, unless it is behind: it misses this one then.
func (s *subscriber) tell(e event.Event) {
	select {
	case s.queue <- e:
	default:
	}
}

// end has the listener hear the last event, and gives what came of that. There is time until ctx
// ends, for this one and for all that it is behind with.
func (s *subscriber) end(ctx context.Context, e event.Event) <-chan error {
	context.AfterFunc(ctx, s.hurry)
	close(s.queue)
	done := make(chan error, 1)
	go func() {
		<-s.drained
		done <- s.Hear(ctx, e)
	}()
	return done
}

// leave ends what the listener hears, whatever it is behind with.
func (s *subscriber) leave() {
	s.hurry()
	close(s.queue)
	select {
	case <-s.drained:
	case <-time.After(endTimeUnheeded):
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/event"
)

// A listener hears what happens in a run.
//
// Hear is called with one event after the other, in their order, by one goroutine. It must return when ctx ends. Of a run
// that has ended it may take its time, and its error is then one of what follows the run; of any other event it is not
// waited for. A listener that is behind with these does not hear all of them, but always the first event and the last.
type listener interface {
	Hear(ctx context.Context, e event.Event) error
}

// Bounds on telling listeners that a run has ended: the time they have, and the little there is once a signal has come and
// whoever sent it waits for the program to end. Who does not heed the end of his time is left behind a moment later.
const (
	endTime            = 2 * time.Minute
	endTimeInterrupted = 4 * time.Second
	endTimeUnheeded    = 200 * time.Millisecond
)

// behind is how many events a listener may be behind with.
const behind = 256

// An audience is who hears of one run. The log is its first listener, and heard in the run's own time, so that its lines
// stand where they belong; each of the others has a goroutine and a queue of its own, so that none holds the run or another.
type audience struct {
	mu     sync.Mutex // held while an event is handed out: all hear them in one order
	log    listener   // nil: there is none
	others []*seat
}

// tell hands an event out. It does not wait for any but the log.
func (a *audience) tell(e event.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
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

// end hands out that the run has ended, waits until all have heard it, and returns what went wrong for whom. It goes on for
// a while where ctx is cancelled, as that is worth telling too. What comes after it the log alone hears.
func (a *audience) end(ctx context.Context, e event.Event) error {
	a.mu.Lock()
	a.tellLog(e)
	others := a.others
	a.others = nil
	a.mu.Unlock()
	if len(others) == 0 {
		return nil
	}
	lingers, cancelLingering := lingering(ctx, endTimeInterrupted)
	defer cancelLingering()
	hearing, cancel := context.WithTimeout(lingers, endTime)
	defer cancel()
	for _, s := range others {
		s.end(hearing, e)
	}
	var all []error
	for _, s := range others {
		err := s.wait(hearing)
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

// seat has others hear from now on, first the events that are given, in place of those who did. They have to be told of the
// end, or be replaced by nobody.
func (a *audience) seat(others []listener, first ...event.Event) {
	a.mu.Lock()
	before := a.others
	a.others = nil
	for _, l := range others {
		s := newSeat(l)
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

// A seat is a listener's, with what there is still to hear for it. It is told by one goroutine at a time.
type seat struct {
	queue  chan heard // closed after the last event
	ctx    context.Context
	cancel context.CancelFunc
	done   chan error // what came of the last event
}

type heard struct {
	ctx context.Context
	event.Event
}

func newSeat(l listener) *seat {
	s := &seat{queue: make(chan heard, behind+1), done: make(chan error, 1)} // there is always room for the last event
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go func() {
		var err error
		for e := range s.queue {
			err = l.Hear(e.ctx, e.Event)
		}
		s.done <- err
	}()
	return s
}

// tell has the listener hear an event, unless it is behind: it misses this one then.
func (s *seat) tell(e event.Event) {
	if len(s.queue) < behind {
		s.queue <- heard{s.ctx, e}
	}
}

// end has the listener hear the last event, for which there is time until ctx ends, as for all that it is behind with.
func (s *seat) end(ctx context.Context, e event.Event) {
	context.AfterFunc(ctx, s.cancel)
	s.queue <- heard{ctx, e}
	close(s.queue)
}

// wait returns what came of the last event, once that is heard or ctx has ended.
func (s *seat) wait(ctx context.Context) error {
	defer s.cancel()
	select {
	case err := <-s.done:
		return err
	case <-ctx.Done():
	}
	unheeded := time.NewTimer(endTimeUnheeded)
	defer unheeded.Stop()
	select {
	case err := <-s.done:
		return err
	case <-unheeded.C:
		return fmt.Errorf("a listener has not ended: %w", context.Cause(ctx))
	}
}

// leave ends what the listener hears, whatever it is behind with.
func (s *seat) leave() {
	s.cancel()
	close(s.queue)
	_ = s.wait(s.ctx)
}

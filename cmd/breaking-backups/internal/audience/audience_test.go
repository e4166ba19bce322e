package audience

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// hearer is a listener that keeps what it hears, and does with it what a test says.
type hearer struct {
	does func(context.Context, event.Event) error // nil: nothing

	mu    sync.Mutex
	heard []string
}

func (h *hearer) Hear(ctx context.Context, e event.Event) error {
	word := strings.TrimPrefix(fmt.Sprintf("%T", e.What), "event.")
	if note, ok := e.What.(event.Note); ok {
		word += " " + note.Text
	}
	h.mu.Lock()
	h.heard = append(h.heard, word)
	h.mu.Unlock()
	if h.does != nil {
		return h.does(ctx, e)
	}
	return nil
}

func (h *hearer) words() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.heard...)
}

// ofEnd is what a listener does, or its error, when the run has ended; of other events it does
// nothing.
func ofEnd(do func(context.Context) error) func(context.Context, event.Event) error {
	return func(ctx context.Context, e event.Event) error {
		if _, ended := e.What.(event.Ended); ended {
			return do(ctx)
		}
		return nil
	}
}

func happened(what event.What) event.Event { return event.Event{What: what} }

// All hear the same in the same order, though many tell at once; and nothing after the end, but for
// the log.
func TestAudienceHearsAllInOrder(t *testing.T) {
	log, one, other := &hearer{}, &hearer{}, &hearer{}
	a := &audience{log: log}
	a.subscribe([]Listener{one, other})
	a.tell(happened(event.Begun{}))
	var telling sync.WaitGroup
	for i := range 8 {
		telling.Go(func() {
			for j := range behind / 16 {
				a.tell(happened(event.Note{Text: fmt.Sprint(i, j)}))
			}
		})
	}
	telling.Wait()
	if err := a.end(t.Context(), happened(event.Ended{})); err != nil {
		t.Error(err)
	}
	a.tell(happened(event.Unheard{}))
	want := log.words()
	if n := len(want); want[0] != "Begun" || want[n-2] != "Ended" || want[n-1] != "Unheard" {
		t.Errorf("the log hears %q first, and %q last", want[0], want[n-2:])
	}
	for _, l := range []*hearer{one, other} {
		if diff := cmp.Diff(want[:len(want)-1], l.words()); diff != "" {
			t.Errorf("(-log +listener):\n%s", diff)
		}
	}
}

// A listener that is slow holds neither the run nor another listener: it misses what it is behind
// with, but neither the first event nor the last.
func TestAudienceDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &hearer{}, &hearer{}
		slow.does = func(ctx context.Context, _ event.Event) error {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil
		}
		a := &audience{}
		a.subscribe([]Listener{slow, quick})
		began := time.Now()
		a.tell(happened(event.Begun{}))
		for i := range 10 * behind {
			a.tell(happened(event.Note{Text: fmt.Sprint(i)}))
			synctest.Wait() // the quick one has heard it
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("telling took %s", took)
		}
		if n := len(quick.words()); n != 10*behind+1 {
			t.Errorf("the quick one has heard %d events", n)
		}
		if err := a.end(t.Context(), happened(event.Ended{})); err != nil {
			t.Error(err)
		}
		heard := slow.words()
		if n := len(heard); n > behind+2 || heard[0] != "Begun" || heard[1] != "Note 0" || heard[n-1] != "Ended" {
			t.Errorf("the slow one has heard %d events: %q … %q", n, heard[:2], heard[n-1])
		}
	})
}

// What goes wrong for a listener is told once the run has ended, of the last event alone.
func TestAudienceFailures(t *testing.T) {
	wrong := errors.New("wrong")
	early := &hearer{does: func(_ context.Context, e event.Event) error {
		if _, ended := e.What.(event.Ended); ended {
			return nil
		}
		return wrong
	}}
	late := &hearer{does: ofEnd(func(context.Context) error { return wrong })}
	for _, tt := range []struct {
		listeners []Listener
		want      error
	}{
		{nil, nil},
		{[]Listener{early}, nil},
		{[]Listener{late}, wrong},
		{[]Listener{&hearer{}, late, early}, wrong},
	} {
		a := &audience{log: late} // whose failure is nobody's
		a.subscribe(tt.listeners)
		a.tell(happened(event.Begun{}))
		if err := a.end(t.Context(), happened(event.Ended{})); !errors.Is(err, tt.want) {
			t.Errorf("%d listeners: %v, want %v", len(tt.listeners), err, tt.want)
		}
	}
}

// The end waits for a listener as long as it says, and less once a signal has come, whether it
// heeds its context or not.
func TestAudienceEndIsBounded(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		for _, interrupted := range []bool{false, true} {
			t.Run(fmt.Sprintf("heeds %t, interrupted %t", heeds, interrupted), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					want, cause := endTime, error(context.DeadlineExceeded)
					if interrupted {
						cancel(exit.Interruption{Signal: syscall.SIGTERM})
						want, cause = endTimeInterrupted, exit.Interruption{Signal: syscall.SIGTERM}
					}
					if !heeds {
						want += endTimeUnheeded
					}
					over := make(chan struct{})
					defer close(over)
					stuck := &hearer{does: ofEnd(func(ctx context.Context) error {
						if heeds {
							<-ctx.Done()
							return ctx.Err()
						}
						<-over
						return nil
					})}
					a := &audience{}
					a.subscribe([]Listener{stuck})
					began := time.Now()
					err := a.end(ctx, happened(event.Ended{}))
					if took := time.Since(began); took != want {
						t.Errorf("it took %s, want %s", took, want)
					}
					if !errors.Is(err, cause) {
						t.Errorf("%v, want %v", err, cause)
					}
				})
			})
		}
	}
}

// Who takes another's place hears that the run has begun, and who left hears no more.
func TestAudienceReplaced(t *testing.T) {
	first, second := &hearer{}, &hearer{}
	a := &audience{}
	a.subscribe([]Listener{first})
	a.tell(happened(event.Begun{}))
	a.subscribe([]Listener{second}, happened(event.Begun{}))
	if err := a.end(t.Context(), happened(event.Ended{})); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"Begun", "Ended"}, second.words()); diff != "" {
		t.Errorf("the second (-want +got):\n%s", diff)
	}
	if heard := first.words(); len(heard) > 1 {
		t.Errorf("the first: %q", heard)
	}
}

package load

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// endsBetween is a context that ends between the first look at it and the second.
type endsBetween struct {
	context.Context
	end   func()
	looks int
}

func (c *endsBetween) Err() error {
	if c.looks++; c.looks > 1 {
		c.end()
	}
	return c.Context.Err()
}

// Workers of whom none works do not wait for one to be done where the context ends before what
// waits has begun.
func TestFinishAllInAContextThatEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorkers(&session{}, 1, nil, func(error) {}, func(string) {}, func(*job) {})
	w.waiting = []*job{{}}
	if err := w.finishAll(&endsBetween{Context: ctx, end: cancel}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// Of what waits the longest begins first, but for what needs what came before it.
func TestLongestFirst(t *testing.T) {
	wait := func(name string, over int64, touches ...touch) *job {
		return &job{plan: plan{kind: builds, setting: name, touches: touches}, over: over}
	}
	alone := func(table string) touch { return touch{relation: table} }
	w := &workers{busy: map[*session]*job{{}: wait("running", 1, alone("busy"))}}
	w.waiting = []*job{
		wait("key of small", 5, alone("small")), wait("index of large", 50, touch{"large", true}), wait("another", 50, touch{"large", true}),
		wait("foreign key to small", 50, alone("large"), alone("small")), wait("behind what runs", 90, alone("busy")), wait("key of largest", 70, alone("largest")),
	}
	var got []string
	for _, j := range w.ready() {
		got = append(got, j.plan.setting)
	}
	if want := []string{"key of largest", "index of large", "another", "key of small"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

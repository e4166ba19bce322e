package main

import (
	"context"
	"sync"
)

// turns sees to it that of all runs of a process that use one repository no two go on at once: each
// would wait for the other's lock, or take the store's bandwidth from it.
type turns struct {
	mu  sync.Mutex
	all map[string]chan struct{} // by repository; holds one while its turn is taken
}

// take waits until it is one's turn at a repository, and returns what ends it; nil once ctx has
// ended. Whoever has a turn ends it when his run does, which each run's own bounds see to.
func (t *turns) take(ctx context.Context, repository string) (end func()) {
	t.mu.Lock()
	if t.all == nil {
		t.all = map[string]chan struct{}{}
	}
	turn := t.all[repository]
	if turn == nil {
		turn = make(chan struct{}, 1)
		t.all[repository] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	case <-ctx.Done():
		return nil
	}
}

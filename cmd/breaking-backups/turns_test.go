package main

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Of runs at one repository one goes on at a time, in the order in which they came; those at others
// go on beside it; and who waits leaves when told to.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		end := all.take(t.Context(), "a")
		if other := all.take(t.Context(), "b"); other == nil {
			t.Fatal("one repository holds another")
		}
		var order []int
		var at atomic.Int32
		var waiting sync.WaitGroup
		for n := range 3 {
			waiting.Go(func() {
				end := all.take(t.Context(), "a")
				if at.Add(1) > 1 {
					t.Error("two at once")
				}
				order = append(order, n)
				at.Add(-1)
				end()
			})
			synctest.Wait()
		}
		leaving, leave := context.WithCancel(t.Context())
		left := make(chan bool)
		go func() { left <- all.take(leaving, "a") == nil }()
		synctest.Wait()
		leave()
		if !<-left {
			t.Error("a turn for who has left")
		}
		end()
		waiting.Wait()
		for n, got := range order {
			if got != n {
				t.Errorf("order %v", order)
			}
		}
	})
}

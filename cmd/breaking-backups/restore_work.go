package main

import "time"

// watch has what the load is at besides rows stand on the bar, until it is ended: then no rows pass
// that would move it.
func (r *restoration) watch() (end func()) {
	ticks, over, ended := time.NewTicker(time.Second), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer ticks.Stop()
		for {
			select {
			case now := <-ticks.C:
				r.tracker.Still(now, r.tell.Passed(), r.underWay())
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-ended }
}

// underWay is what the load is at besides rows; empty: nothing is known of.
func (r *restoration) underWay() string {
	w := r.work.Load()
	if w == nil || w.Done == w.Of {
		return ""
	}
	return w.String()
}

// building adds that to the details of a line.
func (r *restoration) building(details ...any) []any {
	if text := r.underWay(); text != "" {
		details = append(details, "builds", text)
	}
	return details
}

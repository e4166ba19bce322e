// Package metrics tells Prometheus what is known of the jobs of a process: from the board, at the
// moment at which it is asked, and what has happened since the process began by the events of runs.
//
// It owns the names of the metrics, which are an interface: docs/metrics.md lists them, and deploy/
// has a dashboard and alert rules over them. It knows no database, no restic and no HTTP but that
// of a Pushgateway.
package metrics

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// Metrics is a listener to the events of runs, and what Prometheus is told. It may be used by
// several goroutines.
type Metrics struct {
	board   *status.Board
	version string

	mu     sync.Mutex
	counts map[string]*counts // by job
}

// counts is what happened in the runs of a job since the process began.
type counts struct{ retries, lockWaits, spools, spooled float64 }

// New makes the metrics of what a board knows, of a program of this version.
func New(board *status.Board, version string) *Metrics {
	return &Metrics{board: board, version: version, counts: map[string]*counts{}}
}

// Handler answers what Prometheus asks, with what there is to tell of the process itself.
func (m *Metrics) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Hear counts what the board does not. It never fails and waits for nobody.
func (m *Metrics) Hear(_ context.Context, e event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.counts[e.Run.Job]
	if of == nil {
		of = new(counts)
		m.counts[e.Run.Job] = of
	}
	switch what := e.What.(type) {
	case event.Retried:
		of.retries++
	case event.Awaited:
		of.lockWaits++
	case event.Spooled:
		of.spools++
		of.spooled += float64(what.Bytes)
	}
	return nil
}

// countsOf is what was counted of a job.
func (m *Metrics) countsOf(job string) counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	if of := m.counts[job]; of != nil {
		return *of
	}
	return counts{}
}

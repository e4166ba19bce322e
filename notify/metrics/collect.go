package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// collecting is one answer.
type collecting struct {
	to  chan<- prometheus.Metric
	job string
}

// Collect tells all that is known now, for Prometheus's library.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	collecting{to: to}.gauge(info, 1, m.version)
	unhealthy := map[string]map[event.Kind]bool{}
	for _, p := range m.board.Health(time.Now()) {
		if unhealthy[p.Job] == nil {
			unhealthy[p.Job] = map[event.Kind]bool{}
		}
		unhealthy[p.Job][p.Of] = true
	}
	labels := distinct{}
	for _, state := range m.board.Jobs() {
		c := collecting{to, labels.label(state.Name)}
		c.state(state, unhealthy[state.Name])
		c.runs(state)
		c.backups(state)
		c.drills(state)
		counted := m.countsOf(state.Name)
		c.counter(lockWaits, counted.lockWaits)
		c.counter(retries, counted.retries)
		c.counter(spools, counted.spools)
		c.counter(spooledBytes, counted.spooled)
	}
}

func (c collecting) state(s status.State, unhealthy map[event.Kind]bool) {
	c.gaugeOf(jobInfo, 1, s.Host, s.DBType, s.Repository, s.Plans[event.Backup].Text)
	for kind, fresh := range s.Fresh {
		c.gaugeOf(healthy, number(!unhealthy[kind]), string(kind))
		c.moment(freshUntil, fresh.Until, string(kind))
		c.moment(lastSuccess, fresh.Last, string(kind))
	}
	for kind := range unhealthy {
		if _, planned := s.Fresh[kind]; !planned { // a job that stands for others, which could not look for them
			c.gaugeOf(healthy, 0, string(kind))
		}
	}
	for kind, at := range s.Due {
		c.moment(nextRun, at, string(kind))
	}
	for _, kind := range []event.Kind{event.Backup, event.Drill, event.Check} {
		if _, planned := s.Plans[kind]; planned || kind == event.Backup {
			c.gaugeOf(running, number(s.Running != nil && s.Running.Kind == kind), string(kind))
		}
	}
	c.gaugeOf(queued, number(s.Queued))
}

func (c collecting) runs(s status.State) {
	for kind, run := range s.Last {
		if !run.Ended.IsZero() && !run.Began.IsZero() {
			c.gaugeOf(lastRun, run.Ended.Sub(run.Began).Seconds(), string(kind))
		}
		for phase, took := range run.Phases {
			c.gaugeOf(lastPhase, took.Seconds(), string(kind), string(phase))
		}
		c.gaugeOf(lastWait, run.Waited.Seconds(), string(kind))
		c.gaugeOf(warnings, float64(run.Warned), string(kind))
		if _, planned := s.Fresh[kind]; !planned && !run.Failed() {
			c.moment(lastSuccess, run.Ended, string(kind))
		}
	}
	for kind, n := range s.Counts {
		c.counter(runs, float64(n.Succeeded), string(kind), "success")
		c.counter(runs, float64(n.Failed), string(kind), "failure")
		c.counter(runs, float64(n.Unfollowed), string(kind), "unfollowed")
		c.counter(runs, float64(n.Interrupted), string(kind), "interrupted")
	}
	failed := map[event.Kind]time.Time{}
	for _, run := range s.Runs { // the last wins
		if run.Failed() && !run.Interrupted {
			failed[run.Kind] = run.Ended
		}
	}
	for kind, at := range failed {
		c.moment(lastFailure, at, string(kind))
	}
}

func (c collecting) backups(s status.State) {
	if n := len(s.Backups); n > 0 {
		last := s.Backups[n-1]
		c.gaugeOf(dumpBytes, float64(last.Bytes))
		c.gaugeOf(addedBytes, float64(last.Added))
		c.gaugeOf(storedBytes, float64(last.Stored))
		if last.Described {
			c.gaugeOf(dumpRows, float64(last.Rows))
			c.gaugeOf(dumpTables, float64(last.Count))
		}
	}
	if s.Kept.Snapshots > 0 {
		c.gaugeOf(snapshots, float64(s.Kept.Snapshots))
		c.moment(oldest, s.Kept.Oldest)
		c.moment(newest, s.Kept.Newest)
	}
}

func (c collecting) drills(s status.State) {
	if len(s.Drills) == 0 {
		return
	}
	last := s.Drills[len(s.Drills)-1]
	for _, verdict := range []event.Verdict{event.Proven, event.Wrong, event.Untried} {
		c.gaugeOf(drillVerdict, number(last.Verdict == verdict), string(verdict))
	}
	c.moment(drillTime, last.At)
	if last.Verdict != event.Untried {
		c.gaugeOf(drillRestore, last.Restore.Seconds())
		c.gaugeOf(drillRows, float64(last.Rows))
		c.gaugeOf(drillTables, float64(last.Tables))
		c.gaugeOf(drillChecks, float64(last.Checks))
	}
}

func (c collecting) gauge(d *prometheus.Desc, value float64, labels ...string) {
	c.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, valid(labels)...)
}

func (c collecting) gaugeOf(d *prometheus.Desc, value float64, labels ...string) {
	c.gauge(d, value, append([]string{c.job}, labels...)...)
}

func (c collecting) counter(d *prometheus.Desc, value float64, labels ...string) {
	c.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, valid(append([]string{c.job}, labels...))...)
}

// moment tells a time, if it is one.
func (c collecting) moment(d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		c.gaugeOf(d, float64(at.UnixMilli())/1000, labels...)
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

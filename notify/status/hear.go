package status

import (
	"math"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// running is a run that goes on.
type running struct {
	Run
	anew     time.Time // when it began last: what happened before that is of the try before
	phaseAt  time.Time
	stored   time.Time // when restic began with what became the snapshot
	safe     time.Time // when the snapshot was there, as a later phase tells; zero: not yet
	sampled  time.Time // when Passed was told
	recently float64   // bytes a second
}

// hear puts down an event. late tells that whoever brings it has been left behind, and is believed
// of a run's begin and end alone.
func (r *record) hear(e event.Event, late bool) {
	switch what := e.What.(type) {
	case event.Begun:
		r.begin(e)
		return
	case event.Ended:
		r.end(e, what)
		return
	case event.Kept:
		r.kept = what
		return
	}
	if run := r.running[e.Run.Kind]; run != nil && !late && !e.At.Before(run.anew) {
		run.hear(e)
	}
}

// begin puts down that a run begins, or begins again: it stays the run that it was then.
func (r *record) begin(e event.Event) {
	run := r.running[e.Run.Kind]
	if run == nil {
		run = newRunning(e.Run.Kind, e.At)
		run.Waited, r.waited = r.waited, 0
		r.running[e.Run.Kind] = run
	} else if e.At.Before(run.anew) {
		return
	}
	run.endPhase(e.At)
	run.Run.Phase, run.Table, run.Passed, run.Total, run.About = "", "", 0, 0, false
	run.anew, run.safe, run.recently = e.At, time.Time{}, 0
}

func newRunning(kind event.Kind, began time.Time) *running {
	return &running{Run: Run{Kind: kind, Began: began, Phases: map[event.PhaseName]time.Duration{}}, stored: began}
}

func (r *running) hear(e event.Event) {
	switch what := e.What.(type) {
	case event.Phase:
		r.phase(what, e.At)
	case event.Table:
		r.Table = clip(what.Name, mostName)
	case event.Bytes:
		r.pass(what.Passed, e.At)
	case event.Warning:
		r.Warned++
		text := clip(what.Text, mostWarning)
		if len(r.Warnings) < mostWarnings && !slices.Contains(r.Warnings, text) {
			r.Warnings = append(r.Warnings[:len(r.Warnings):len(r.Warnings)], text)
		}
	}
}

func (r *running) phase(p event.Phase, at time.Time) {
	r.endPhase(at)
	r.Phase, r.phaseAt, r.sampled = event.PhaseName(clip(string(p.Name), mostName)), at, at
	r.Table, r.Passed, r.Total, r.About, r.recently = "", 0, p.Total, p.Estimated, 0
	switch p.Name {
	case event.Dump, event.Store:
		r.stored = at
	case event.Forget, event.Prune:
		if r.Kind == event.Backup && r.safe.IsZero() {
			r.safe = at
		}
	}
}

// endPhase adds what the phase took to what those of its name took before.
func (r *running) endPhase(at time.Time) {
	if r.Phase != "" {
		r.Phases[r.Phase] += max(at.Sub(r.phaseAt), 0)
	}
	r.phaseAt = at
}

// smoothing is over how long the rate is that is told.
const smoothing = 10 * time.Second

func (r *running) pass(passed int64, at time.Time) {
	took := at.Sub(r.sampled).Seconds()
	if took <= 0 {
		return
	}
	rate := max(float64(passed-r.Passed)/took, 0)
	if r.recently == 0 {
		r.recently = rate
	} else {
		r.recently += (rate - r.recently) * (1 - math.Exp(-took/smoothing.Seconds()))
	}
	r.Passed, r.sampled = passed, at
}

// shown is a copy of a run that goes on. Bytes are told only when some pass: after a while without
// any the rate is none.
func (r *running) shown(now time.Time) Run {
	run := copyRun(r.Run)
	if now.Sub(r.sampled) < smoothing {
		run.Rate = r.recently
	}
	if run.Phase != "" {
		run.Phases[run.Phase] += max(now.Sub(r.phaseAt), 0)
	}
	return run
}

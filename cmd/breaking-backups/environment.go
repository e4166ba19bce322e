package main

import (
	"log/slog"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/progress"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/metrics"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/restic"
)

// environment is what a command finds around the job that it works on, and what all jobs of a
// process share.
type environment struct {
	log    logger
	redact secret.Redactor
	zone   *time.Location // of times that people see
	locks  *restic.LockHistory
	turns  *turns
	board  *status.Board
	meter  *metrics.Metrics

	several bool   // there are several jobs
	job     string // the one that it is for, where there are; else empty
}

func (a *app) environment(cfg *config) environment {
	several := len(cfg.jobs) > 1 || slices.ContainsFunc(cfg.jobs, func(one *config) bool { return one.Job.PerDatabase })
	return environment{log: a.log, redact: cfg.redact, zone: cfg.zone, locks: &a.locks, turns: &a.turns, board: a.board, meter: a.meter, several: several}
}

// of is the environment for a job: where there are several its lines in the log bear its name.
func (e environment) of(j job) environment {
	if e.several {
		e.job = j.name
	}
	return e
}

// scheduleLog is the log of the job's schedule.
func (e environment) scheduleLog() *slog.Logger {
	if e.job == "" {
		return e.log.Logger
	}
	return e.log.With("job", e.job)
}

// teller is what a run tells by: into the log, and to whoever subscribes beside it.
func (e environment) teller(run event.Run) *audience.Teller {
	return audience.NewTeller(run, e.redact, logListener{e.log.Logger, e.job}, hint)
}

// hearers are who listens to a run: who is told of its job's, the board and the metrics, the
// terminal.
func (e environment) hearers(listeners []audience.Listener) []audience.Listener {
	return append(slices.Clone(listeners), e.board, e.meter, e.tracker())
}

// tracker tells how far a run has come: by a bar on a terminal, elsewhere in the log.
func (e environment) tracker() *progress.Tracker {
	return progress.New(e.log.screen, e.log.Info)
}

// showTime is a moment for people.
func (e environment) showTime(t time.Time) string {
	return t.In(e.zone).Format("2006-01-02 15:04:05 MST")
}

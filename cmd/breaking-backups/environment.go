package main

import (
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/progress"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// environment is what a command finds around the job that it works on, and what all jobs of a
// process share.
type environment struct {
	log    logger
	redact secret.Redactor
	zone   *time.Location // of times that people see
	locks  *restic.LockHistory
}

func (a *app) environment(cfg *config) environment {
	return environment{log: a.log, redact: cfg.redact, zone: cfg.zone, locks: &a.locks}
}

// teller is what a run tells by: into the log, and to whoever subscribes beside it.
func (e environment) teller(run event.Run) *audience.Teller {
	return audience.NewTeller(run, e.redact, logListener{e.log.Logger}, hint)
}

// tracker tells how far a run has come: by a bar on a terminal, elsewhere in the log.
func (e environment) tracker() *progress.Tracker {
	return progress.New(e.log.screen, e.log.Info)
}

// showTime is a moment for people.
func (e environment) showTime(t time.Time) string {
	return t.In(e.zone).Format("2006-01-02 15:04:05 MST")
}

package main

import (
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
)

// scheduleSettings say when runs are due. With neither a schedule nor an interval one run is made.
type scheduleSettings struct {
	// The time from one run's start to the next one's. It is time that passes, however the clock is
	// set. 0: run once and exit.
	Interval seconds `env:"BACKUP_INTERVAL_SECONDS" default:"0" help:"from one run's start to the next; 0: run once and exit"`
	// Five fields, or a form such as `@daily`; takes precedence over the interval. A day of the
	// month beside a day of the week means either, but both where one of them begins with `*` (`0 2
	// */2 * 1`: Mondays that are odd days), as in Vixie's cron.
	Cron string `env:"CRON_SCHEDULE" help:"five fields or @daily forms; wins over the interval" shown:"none"`
	// A run starts up to this much later, at random, but before the next one is due. The run of
	// `RUN_ON_START` does not.
	Jitter seconds `env:"SCHEDULE_JITTER_SECONDS" default:"0" help:"start up to so much later, at random"`
	// With `CRON_SCHEDULE`: also run at once.
	RunOnStart bool `env:"RUN_ON_START" default:"false" help:"with CRON_SCHEDULE: also run at once"`
}

// when is the schedule for people; empty: there is none.
func (cfg *config) when() string {
	switch {
	case cfg.Schedule.Cron != "":
		return fmt.Sprintf("%s (%s)", cfg.Schedule.Cron, cfg.zone)
	case cfg.Schedule.Interval > 0:
		return "every " + time.Duration(cfg.Schedule.Interval).String()
	}
	return ""
}

func (l *configLoader) finishSchedule(cfg *config) {
	var err error
	switch {
	case cfg.Schedule.Cron != "":
		if cfg.schedule, err = schedule.ParseCron(cfg.Schedule.Cron, cfg.zone); err != nil {
			l.Mistake("CRON_SCHEDULE", err)
		}
	case cfg.Schedule.Interval > 0:
		cfg.schedule = schedule.Interval(cfg.Schedule.Interval)
	}
}

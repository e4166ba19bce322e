package main

import (
	"strings"
	"time"
)

// logSettings say what is logged, where, and in which zone times are written.
type logSettings struct {
	// The time zone of the schedule and of the times shown. Zone data is built in; no run is lost
	// or doubled when clocks change.
	TZ string `env:"TZ" default:"UTC" help:"time zone of the schedule and of times shown"`
	// The least that is logged.
	Level string `env:"LOG_LEVEL" choices:"debug | info | warn | error" default:"info"`
	// `auto`: text on a terminal, else JSON.
	Format string `env:"LOG_FORMAT" choices:"text | json | auto" default:"auto" help:"auto: text on a terminal, else json"`
	// A file that the log is written to as well, always as JSON: at most 10 MB and three old files.
	// The default holds where `/backup` can be written.
	File string `env:"LOG_FILE" help:"also write the log here, at most 10 MB and three old files" shown:"/backup/cron.log with CRON_SCHEDULE"`
}

func (l *configLoader) finishZone(cfg *config) {
	var err error
	if cfg.zone, err = time.LoadLocation(strings.TrimPrefix(cfg.Log.TZ, ":")); err != nil {
		l.Mistake("TZ", err)
		cfg.zone = time.UTC
	}
}

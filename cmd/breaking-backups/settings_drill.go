package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
)

// drillPrefix begins the variables that say where drills restore to.
const drillPrefix = "VERIFY_"

// drillSettings say when and how snapshots are proven.
type drillSettings struct {
	// When `start` makes a drill of the job: as `CRON_SCHEDULE`. Unset: by hand, with `verify`.
	Schedule string `env:"VERIFY_SCHEDULE" help:"when a drill is made: five fields or @daily forms" shown:"by hand"`
	// What the names of scratch databases begin with. They are made on the database's own server;
	// for another one `VERIFY_` goes before the variables that say where it is: `VERIFY_PGHOST`,
	// `VERIFY_DATABASE_URL`. What they do not say is as for the backup.
	Prefix string `env:"VERIFY_PREFIX" default:"breaking_backups_drill_" help:"what the names of scratch databases begin with"`
	// What the restored database is asked, a line each: a statement in SQL, or a command of MongoDB
	// in JSON, whose first value has to be true; or has to be what stands behind ` => `.
	Checks string `env:"VERIFY_CHECKS" help:"what the restored database is asked, a line each: SQL or a MongoDB command, true or what stands behind =>" shown:"nothing"`
	// The bound of a drill. 0: none.
	Timeout seconds `env:"VERIFY_TIMEOUT_SECONDS" default:"0" help:"bound of a drill; 0: none"`
	// When `start` has restic check the repository.
	CheckSchedule string `env:"CHECK_SCHEDULE" help:"when restic check is run: five fields or @daily forms" shown:"never"`
	// How much of the data a check reads as well, as restic's `--read-data-subset`: `5%`, `1/10`,
	// `500M`.
	CheckSubset string `env:"CHECK_SUBSET" help:"of the data a check reads this much, e.g. 5%, 1/10 or 500M" shown:"none"`

	schedule, checks schedule.Times // nil: by hand
	zone             *time.Location
}

var (
	drillName   = regexp.MustCompile(`^[a-z][a-z0-9_]{2,29}$`)
	checkSubset = regexp.MustCompile(`^([1-9][0-9]*/[1-9][0-9]*|[0-9]+(\.[0-9]+)?%|[1-9][0-9]*[KMGT]?)$`)
)

// when is one of the schedules for people.
func (s drillSettings) when(schedule string) string { return fmt.Sprintf("%s (%s)", schedule, s.zone) }

func (l *configLoader) finishDrill(cfg *config) {
	s := &cfg.Drill
	s.zone = cfg.zone
	var err error
	if s.Schedule != "" {
		if s.schedule, err = schedule.ParseCron(s.Schedule, cfg.zone); err != nil {
			l.Mistake("VERIFY_SCHEDULE", err)
		}
	}
	if s.CheckSchedule != "" {
		if s.checks, err = schedule.ParseCron(s.CheckSchedule, cfg.zone); err != nil {
			l.Mistake("CHECK_SCHEDULE", err)
		}
	}
	if !drillName.MatchString(s.Prefix) {
		l.Mistake("VERIFY_PREFIX", fmt.Errorf("want 3 to 30 small letters, digits and _, a letter first, got %q", s.Prefix))
	}
	if s.CheckSubset != "" && !checkSubset.MatchString(strings.ToUpper(s.CheckSubset)) {
		l.Mistake("CHECK_SUBSET", fmt.Errorf("want as restic's --read-data-subset, e.g. 5%%, 1/10 or 500M, got %q", s.CheckSubset))
	}
}

// drillOverlay is the environment of where drills restore to.
func drillOverlay(of settings.Overlay) settings.Overlay {
	return settings.NewOverlay(of.Environ, drillPrefix, isDatabaseVariable, of.Own)
}

// isDatabaseVariable reports whether a variable says where a database is and how it is reached.
func isDatabaseVariable(name string) bool {
	if name == "DB_TYPE" { // a dump goes back into what it is of
		return false
	}
	for _, s := range ownSettings().Settings {
		if s.Env == name || s.Secret && s.Env+"_FILE" == name {
			return s.Env == "DATABASE_URL" || s.Group == "postgres" || s.Group == "mysql" || s.Group == "mongo" ||
				s.Env == "CONNECT_TIMEOUT_SECONDS" || s.Env == "RESTORE_JOBS" || s.Env == "DUMP_JOBS"
		}
	}
	return isLibpq(name)
}

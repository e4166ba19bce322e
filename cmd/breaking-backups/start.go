package main

import (
	"context"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
)

func (a *app) start() command {
	return command{
		use:   "start",
		short: "Make backups on a schedule, until told to end",
		long: `CRON_SCHEDULE or BACKUP_INTERVAL_SECONDS says when; with neither, one backup is made and the program exits with its
exit code. Runs never overlap: one that is due while another goes on is missed, and logged. A run that fails is logged, told to the
webhook, and does not end the program. SIGTERM and SIGINT end it within 10 seconds, a running backup without a snapshot.`,
		example: `  CRON_SCHEDULE='30 2 * * *' TZ=Europe/Amsterdam breaking-backups
  breaking-backups start --backup-interval-seconds 3600`,
		groups: []string{"job", "postgres", "selection", "mysql", "mongo", "repository", "backup", "retention", "schedule", "webhook", "log"},
		needs:  jobAndRepository,
		logs:   true,
		run: func(ctx context.Context, cfg *config) error {
			j, err := newJob(cfg)
			if err != nil {
				return err
			}
			return j.start(ctx, a.environment(cfg))
		},
	}
}

// start makes backups of the job as its timetable says, until ctx ends; without a schedule one.
// That it can be made at all is looked at before the first is due.
func (j job) start(ctx context.Context, env environment) error {
	b, err := newBackup(ctx, j, env, nil)
	if err != nil {
		return err
	}
	if j.timetable.Times == nil {
		return b.run(ctx)
	}
	return schedule.Run(ctx, j.timetable, env.log.Logger, func(ctx context.Context) {
		_ = backUpAnew(ctx, j, env) // it has told its error
	})
}

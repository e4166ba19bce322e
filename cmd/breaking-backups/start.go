package main

import (
	"context"
	"time"
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
			b, err := a.newBackup(ctx, cfg, nil)
			if err != nil {
				return err
			}
			if cfg.schedule == nil {
				return b.run(ctx)
			}
			l := loop{
				schedule: cfg.schedule,
				atOnce:   cfg.Schedule.RunOnStart || cfg.Schedule.Cron == "",
				prompt:   cfg.Schedule.RunOnStart,
				jitter:   time.Duration(cfg.Schedule.Jitter),
				clock:    systemClock{},
				log:      a.log,
				run:      func(ctx context.Context) { _ = b.renewedRun(ctx) }, // it has logged its error and told the webhook
			}
			return l.loop(ctx)
		},
	}
}

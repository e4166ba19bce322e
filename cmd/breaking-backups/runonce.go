package main

import "context"

func (a *app) runOnce() command {
	return command{
		use:   "run-once",
		short: "Make one backup now, then exit",
		long: `The database is dumped into a snapshot, older snapshots of the same job are forgotten as KEEP_* says, and the
webhook is told. The repository is made if there is none.`,
		example: `  DB_TYPE=postgres PGHOST=db PGDATABASE=app \
  RESTIC_REPOSITORY=/srv/backups RESTIC_PASSWORD_FILE=/run/secrets/restic \
    breaking-backups run-once`,
		groups: []string{"job", "postgres", "selection", "mysql", "mongo", "repository", "backup", "retention", "webhook", "log"},
		needs:  jobAndRepository,
		logs:   true,
		run: func(ctx context.Context, cfg *config) error {
			j, err := newJob(cfg)
			if err != nil {
				return err
			}
			b, err := newBackup(ctx, j, a.environment(cfg), nil)
			if err != nil {
				return err
			}
			return b.run(ctx)
		},
	}
}

package main

import "context"

func (a *app) runOnce() command {
	return command{
		use:   "run-once",
		short: "Make one backup now, then exit",
		long: `The database is dumped into a snapshot, older snapshots of the same job are forgotten as KEEP_* says, and the
webhook is told. The repository is made if there is none. Of several jobs (JOBS) each makes one, after the other, and one that fails
leaves the others alone; --job names one or some of them. The exit code is that of the worst.`,
		example: `  DB_TYPE=postgres PGHOST=db PGDATABASE=app \
  RESTIC_REPOSITORY=/srv/backups RESTIC_PASSWORD_FILE=/run/secrets/restic \
    breaking-backups run-once
  breaking-backups run-once --job shop`,
		groups: []string{"jobs", "job", "postgres", "selection", "mysql", "mongo", "repository", "backup", "retention", "webhook", "push", "log"},
		needs:  jobAndRepository,
		logs:   true,
		run: func(ctx context.Context, cfg *config) error {
			env := a.environment(cfg)
			var jobs []job
			err := cfg.each(ctx, func(one *config) error {
				j, err := newJob(one)
				if err != nil {
					return err
				}
				jobs = append(jobs, j)
				return env.of(j).runOnce(ctx, j)
			})
			env.push(ctx, cfg.Push, jobs)
			return err
		},
	}
}

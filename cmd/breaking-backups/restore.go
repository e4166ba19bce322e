package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

func (a *app) restore() command {
	var opt restoreOptions
	return command{
		use:   "restore",
		short: "Put a dump back into a database: this job's latest snapshot, another, or a file",
		long: `The dump is loaded over the wire; no client tools are needed. A dump of one database goes into the configured one
(PGDATABASE, MYSQL_DATABASE, MONGO_DATABASE), or the one that --database names, which must be empty, and except for MongoDB
must exist; a dump of several or of all goes into a server that has none of them. What a dump is it says itself; one that
does not fit what is configured or named is refused. With --clean everything that is in the way is dropped first, once
nothing is found that would keep any of it from being dropped. The log says where the dump goes and what is dropped before
that is done, and on a terminal --clean asks. A file, and with --clean a snapshot too, is read to its end before anything is
changed. The load stops at the first error, unless --on-error continue, refuses a dump that is cut short, and compares the
rows with what the dump says of them, table by table. A file may also be one of mysqldump, mariadb-dump or mongodump
--archive.

A part goes beside what is there: --table, --schema and --from-database choose it, and what the chosen tables need comes with
them. Only these tables must not be there yet, or --clean drops them and nothing else.`,
		example: `  breaking-backups restore --database app_copy
  breaking-backups restore --snapshot 4bba301e --clean
  breaking-backups restore --at '2026-11-01 02:00' --database app_copy
  breaking-backups restore --table orders --to-schema restored
  breaking-backups restore --from-database shop --database shop_copy --dry-run
  zcat app.sql.gz | breaking-backups restore --file - --database app_copy`,
		groups: []string{"jobs", "job", "postgres", "mysql", "mongo", "repository", "log"},
		needs:  func(*config) needs { return needs{job: true, repository: opt.file == ""} },
		flags:  opt.addTo,
		run: func(ctx context.Context, cfg *config) error {
			cfg, err := cfg.only("restore")
			if err != nil {
				return err
			}
			j, err := newJob(cfg)
			if err != nil {
				return restoreError{err: err}
			}
			if err := opt.check(cfg.zone, a.stdin, j.engine, j.dbType); err != nil {
				return exit.UsageError{Err: fmt.Errorf("restore: %w", err)}
			}
			env := a.environment(cfg)
			out, tell, tracker := audience.Outcome{Started: time.Now()}, env.teller(j.run(event.Restore)), env.tracker()
			tell.Subscribe([]audience.Listener{tracker})
			err = (&restoration{app: a, job: j, env: env, opt: opt, tell: tell, tracker: tracker}).run(ctx)
			tracker.End() // what is printed now is the run's result
			if opt.ifEmpty && errors.Is(err, dump.ErrNotEmpty) && leftBy(err) == "" {
				fmt.Fprintf(a.stdout, "nothing was restored, and nothing changed: %s\n", terminal.Visible(err.Error()))
				err = nil
			}
			if why := exit.Explain(ctx, err); why != nil {
				out.Err = restoreError{err: why, left: leftBy(err)}
			}
			_ = tell.End(ctx, out) // none listens who can fail
			return out.Err
		},
	}
}

// restoreError is a failure to restore, for which there are hints of its own.
type restoreError struct {
	err  error
	left string // how the target is left, if it is not as it was
}

// leftBy is how a load that ended with err has left its target.
func leftBy(err error) string {
	var partial *dump.PartialError
	if !errors.As(err, &partial) {
		return ""
	}
	return partial.Left
}

func (e restoreError) Unwrap() error { return e.err }

func (e restoreError) Error() string {
	var signal exit.Interruption
	if e.left != "" && errors.As(e.err, &signal) {
		return e.err.Error() + "; " + e.left
	}
	return e.err.Error()
}

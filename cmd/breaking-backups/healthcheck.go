package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/notify/web"
)

func (a *app) healthcheck() command {
	var ifServed bool
	return command{
		use:   "healthcheck",
		short: "Say whether the last good backup is as fresh as the schedule promises",
		long: `With HTTP_ADDR it asks the program that runs beside it, as /healthz would be asked: for containers, which have no shell. Without
HTTP_ADDR it asks the repository, which takes as long as a list of snapshots does: a job whose last good backup, or drill, is older
than its schedule allows is not healthy. A job without a schedule has nothing to be measured by. With --if-served nobody is asked where
HTTP_ADDR is not set, and all is well: the image's own check, which must cost no repository anything, is such.

It ends with 0 if all is well, and with 4 if not, or if nobody answers.`,
		example: `  breaking-backups healthcheck
  HTTP_ADDR=:8080 breaking-backups healthcheck`,
		groups: []string{"jobs", "job", "postgres", "mysql", "mongo", "repository", "schedule", "http", "drill", "log"},
		needs: func(cfg *config) needs {
			asks := cfg.HTTP.Address == "" && !ifServed
			return needs{job: asks, repository: asks}
		},
		flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&ifServed, "if-served", false, "without HTTP_ADDR ask nobody, and end with 0")
		},
		run: func(ctx context.Context, cfg *config) error {
			if ifServed && cfg.HTTP.Address == "" {
				return nil
			}
			problems, err := a.problems(ctx, cfg)
			if err != nil {
				return exit.UnhealthyError{Err: err}
			}
			if len(problems) == 0 {
				fmt.Fprintln(a.stdout, "healthy")
				return nil
			}
			var reasons []string
			for _, p := range problems {
				reasons = append(reasons, fmt.Sprintf("job %s: %s", p.Job, p.Reason))
			}
			return exit.UnhealthyError{Err: errors.New(terminal.Visible(strings.Join(reasons, "; ")))}
		},
	}
}

// problems are why not all is well, as the program that runs says, or the repositories.
func (a *app) problems(ctx context.Context, cfg *config) ([]status.Problem, error) {
	if cfg.HTTP.Address != "" {
		return web.Ask(ctx, cfg.HTTP.Address)
	}
	env := a.environment(cfg)
	seeding := env.newSeeding(nil)
	for _, one := range cfg.jobs {
		j, err := newJob(one)
		if err != nil {
			return nil, err
		}
		env.board.Add(j.known())
		if err := seeding.seed(ctx, j); err != nil {
			return nil, fmt.Errorf("job %s: %w", j.name, err)
		}
	}
	return append(env.board.Health(time.Now()), unmade(env.board)...), nil
}

// unmade are the jobs with a schedule of which there is no backup: nobody knows here since when the
// first is due.
func unmade(board *status.Board) []status.Problem {
	var all []status.Problem
	for _, state := range board.Jobs() {
		if _, planned := state.Plans[event.Backup]; planned && !state.PerDatabase && len(state.Backups) == 0 {
			all = append(all, status.Problem{Job: state.Name, Of: event.Backup, Reason: "the repository holds no backup of it yet"})
		}
	}
	return all
}

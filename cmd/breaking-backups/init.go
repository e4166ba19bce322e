package main

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

func (a *app) init() command {
	return command{
		use:   "init",
		short: "Make the repository, if there is none",
		long: `The first backup does the same. It may run beside others: all find one sound repository. A repository that cannot be reached
or opened is an error and nothing is made.`,
		example: `  RESTIC_REPOSITORY=/srv/backups RESTIC_PASSWORD_FILE=/run/secrets/restic \
    breaking-backups init`,
		groups: []string{"jobs", "repository", "log"},
		needs:  func(*config) needs { return needs{repository: true} },
		run: func(ctx context.Context, cfg *config) error {
			return cfg.each(ctx, func(one *config) error { return a.makeRepository(ctx, a.environment(cfg), newStore(one)) })
		},
	}
}

func (a *app) makeRepository(ctx context.Context, env environment, store store) error {
	client, err := env.checkedRestic(ctx, store, env.teller(event.Run{}))
	if err != nil {
		return err
	}
	created, err := ensure(ctx, client)
	if err != nil {
		return err
	}
	what := "is already there"
	if created {
		what = "made"
	}
	fmt.Fprintf(a.stdout, "repository %s: %s\n", terminal.Visible(store.shown), what)
	return nil
}

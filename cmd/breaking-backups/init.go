package main

import (
	"context"
	"fmt"
)

func (a *app) init() command {
	return command{
		use:   "init",
		short: "Make the repository, if there is none",
		long: `The first backup does the same. It may run beside others: all find one sound repository. A repository that cannot be reached
or opened is an error and nothing is made.`,
		example: `  RESTIC_REPOSITORY=/srv/backups RESTIC_PASSWORD_FILE=/run/secrets/restic breaking-backups init`,
		groups:  []string{"repository", "log"},
		needs:   func(*config) needs { return needs{repository: true} },
		run: func(ctx context.Context, cfg *config) error {
			tell := a.teller(cfg)
			client, err := checkedRestic(ctx, cfg, tell)
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
			fmt.Fprintf(a.stdout, "repository %s: %s\n", visible(cfg.shownRepository()), what)
			return nil
		},
	}
}

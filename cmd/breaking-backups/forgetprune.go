package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

func (a *app) forgetPrune() command {
	var dryRun, acceptSources, forgetFuture bool
	return command{
		use:   "forget-prune",
		short: "Apply the retention policy to this job's snapshots now, and prune",
		long: `Says what goes and, of what stays, why. Only snapshots with this job's host and its path alone are looked at. With no KEEP_* set
nothing is forgotten. Data that no snapshot needs is removed, whether or not a snapshot was, unless PRUNE_ON_SUCCESS is false.

Snapshots bear the lasting name of the database that they are of. Where those of a job are of more than one, as when two databases
share a host's name or one was moved to another server, nothing is forgotten until --accept-sources says that they are one job's, or
RESTIC_HOST holds them apart.`,
		example: `  KEEP_DAILIES=7 KEEP_WEEKLIES=4 breaking-backups forget-prune --dry-run
  breaking-backups forget-prune --accept-sources`,
		groups: []string{"jobs", "job", "postgres", "mysql", "mongo", "repository", "retention", "log"},
		needs:  jobAndRepository,
		flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&dryRun, "dry-run", false, "only say what would be done")
			flags.BoolVar(&acceptSources, "accept-sources", false, "all of the job's snapshots are of one database from now on; they get new IDs")
			flags.BoolVar(&forgetFuture, "forget-future", false, "also forget the job's snapshots whose time has not come")
		},
		run: func(ctx context.Context, cfg *config) error {
			return cfg.each(ctx, func(one *config) error {
				env := a.environment(cfg)
				j, err := newJob(one)
				if err != nil {
					return err
				}
				tell := env.teller(event.Run{})
				client, err := env.checkedRestic(ctx, j.store, tell)
				if err != nil {
					return err
				}
				retain := retainer{
					environment: env, restic: client, tell: tell,
					dryRun: dryRun, acceptSources: acceptSources, forgetFuture: forgetFuture, pruneAlways: true,
				}
				ctx, cancel := bounded(ctx, "FORGET_TIMEOUT_SECONDS", j.retention.timeout)
				defer cancel()
				return j.eachStored(ctx, client, func(j job) error {
					retain.job = j
					done, err := retain.apply(ctx)
					if err != nil {
						return fmt.Errorf("retention: %w", blame(ctx, err))
					}
					printRetained(a.stdout, env, j, done, dryRun)
					return nil
				})
			})
		},
	}
}

func printRetained(w io.Writer, env environment, j job, done retained, dryRun bool) {
	fmt.Fprintf(w, "job %s on %s, keeping %s\n", terminal.Visible(j.name), terminal.Visible(j.host), j.retention.policy)
	goes := "forgotten"
	if dryRun {
		goes = "would go"
	}
	table := terminal.NewTable(w)
	for _, s := range done.stay {
		table.Row("stays", shortID(s.ID), env.showTime(s.Time), strings.Join(s.reasons, ", "))
	}
	for _, s := range done.gone {
		table.Row(goes, shortID(s.ID), env.showTime(s.Time), "")
	}
	table.Flush()
	pruned := ""
	if done.pruned {
		pruned = "; data that no snapshot needs is removed"
	}
	fmt.Fprintf(w, "%d stay, %d %s%s\n", len(done.stay), len(done.gone), goes, pruned)
}

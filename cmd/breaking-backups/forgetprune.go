package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/restic"
)

func (a *app) forgetPrune() command {
	var dryRun bool
	return command{
		use:   "forget-prune",
		short: "Apply the retention policy to this job's snapshots now, and prune",
		long: `Says what goes and, of what stays, why: restic's own reasons. Only snapshots with this job's host and path are looked at. With no
KEEP_* set nothing is forgotten. Data that no snapshot needs is removed unless PRUNE_ON_SUCCESS is false.`,
		example: `  KEEP_DAILIES=7 KEEP_WEEKLIES=4 breaking-backups forget-prune --dry-run`,
		groups:  []string{"job", "database", "mysql", "mongo", "repository", "retention", "log"},
		needs:   jobAndRepository,
		flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&dryRun, "dry-run", false, "only say what would be done")
		},
		run: func(ctx context.Context, cfg *config) error {
			if cfg.policy.IsZero() {
				fmt.Fprintln(a.stdout, "nothing is ever forgotten: no KEEP_* is set")
				return nil
			}
			src, err := newSource(cfg, a.log.Logger)
			if err != nil {
				return err
			}
			client, err := checkedRestic(ctx, cfg, a.log)
			if err != nil {
				return err
			}
			j := newJob(cfg, src)
			result, err := client.Forget(ctx, restic.ForgetOptions{
				Filter: j.filter(), Policy: cfg.policy.Args(), DryRun: dryRun, Prune: cfg.PruneOnForget && !dryRun,
			})
			if err != nil {
				return err
			}
			printForget(a.stdout, cfg, j, result, dryRun)
			return nil
		},
	}
}

func printForget(w io.Writer, cfg *config, j job, result restic.ForgetResult, dryRun bool) {
	fmt.Fprintf(w, "job %s on %s, keeping %s\n", j.name, j.host, cfg.policy)
	goes := "forgotten"
	if dryRun {
		goes = "would go"
	}
	table := newTable(w)
	for _, kept := range result.Keep {
		table.row("stays", shortID(kept.Snapshot.ID), showTime(cfg, kept.Snapshot.Time), strings.Join(kept.Reasons, ", "))
	}
	for _, snapshot := range result.Remove {
		table.row(goes, shortID(snapshot.ID), showTime(cfg, snapshot.Time), "")
	}
	table.flush()
	fmt.Fprintf(w, "%d stay, %d %s\n", len(result.Keep), len(result.Remove), goes)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

func (a *app) verify() command {
	opt, asJSON := drillOptions{}, false
	return command{
		use:   "verify",
		short: "Prove a snapshot: restore it into a scratch database, hold that against its manifest, drop it",
		long: `The restore drill. The job's latest snapshot, or the one that --snapshot names, is restored into a database made for it; all of
its rows are read back and held against what the dump says of itself, table by table; VERIFY_CHECKS are asked; and the database is
dropped, also if anything failed, and what a killed drill has left. How long the restore took is told: a real one takes as long.

The scratch database is made on the database's own server; VERIFY_PGHOST and the like, VERIFY_ before any variable of the database's,
name another. Better give it a server of its own, or a role with no more rights than it needs: a restore runs what the owners of the
database wrote. What was found is kept in the repository, beside the snapshots.

It ends with 0 if the snapshot is proven, 1 if something is wrong with it, and 5 if the drill could not be tried.`,
		example: `  breaking-backups verify
  VERIFY_PGHOST=scratch VERIFY_CHECKS='SELECT count(*) > 9 FROM orders' \
    breaking-backups verify
  breaking-backups verify --json | jq .verdict`,
		groups: []string{"jobs", "job", "postgres", "mysql", "mongo", "repository", "drill", "push", "log"},
		needs:  jobAndRepository,
		logs:   true,
		flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&opt.snapshot, "snapshot", latestSnapshot, "the snapshot's `id`")
			flags.BoolVar(&asJSON, "json", false, "what was found, as JSON: of several jobs an array")
		},
		run: func(ctx context.Context, cfg *config) error {
			env := a.environment(cfg)
			var found []evidence
			var jobs []job
			err := cfg.each(ctx, func(one *config) error {
				j, err := newJob(one)
				if err != nil {
					return err
				}
				jobs = append(jobs, j)
				env.board.Add(j.known())
				prove := func(ctx context.Context, j job, env environment) error {
					e, err := runDrill(ctx, j, env, opt)
					found = append(found, e)
					return err
				}
				if j.databases != nil {
					return eachDatabase(ctx, j, env.of(j), event.Drill, prove)
				}
				return prove(ctx, j, env.of(j))
			})
			env.push(ctx, cfg.Push, jobs)
			return worst(withoutNil(err, a.printEvidence(env, found, asJSON)))
		},
	}
}

// withoutNil are the errors that are some.
func withoutNil(all ...error) (some []error) {
	for _, err := range all {
		if err != nil {
			some = append(some, err)
		}
	}
	return some
}

// printEvidence writes what drills have found.
func (a *app) printEvidence(env environment, found []evidence, asJSON bool) error {
	if !asJSON {
		for _, e := range found {
			printDrill(a.stdout, env, e)
		}
		return nil
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	if len(found) == 1 {
		return encoder.Encode(found[0])
	}
	return encoder.Encode(append([]evidence{}, found...))
}

// printDrill says what a drill has found, a line and what is wrong below it.
func printDrill(w io.Writer, env environment, e evidence) {
	switch e.Verdict {
	case event.Proven:
		fmt.Fprintf(w, "proven: snapshot %s of %s, job %s: %s, %s and %s are as the dump says; a restore takes %s\n",
			shortID(e.Snapshot), env.showTime(e.SnapshotTime), terminal.Visible(e.Job), number(len(e.Tables), "table"), number(e.drilled().Rows, "row"),
			number(len(e.Checks), "check"), time.Duration(e.RestoreSeconds*float64(time.Second)).Round(time.Millisecond))
	case event.Wrong:
		fmt.Fprintf(w, "wrong: snapshot %s of %s, job %s\n", shortID(e.Snapshot), env.showTime(e.SnapshotTime), terminal.Visible(e.Job))
		const most = 20
		all := e.sentences()
		for _, text := range all[:min(len(all), most)] {
			fmt.Fprintf(w, "  %s\n", terminal.Visible(text))
		}
		if more := len(all) - most; more > 0 {
			fmt.Fprintf(w, "  and %d more: --json tells them\n", more)
		}
	default:
		fmt.Fprintf(w, "not tried: job %s: %s\n", terminal.Visible(e.Job), terminal.Visible(e.Error))
	}
}

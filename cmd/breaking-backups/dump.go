package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/output"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/stream"
)

func (a *app) dump() command {
	var path string
	return command{
		use:   "dump",
		short: "Write the dump to stdout, or to a file; no repository is needed",
		long: `What is written is what a snapshot holds, and loads with psql, mysql or mariadb; MongoDB's with zstd -d | mongorestore --archive. It ends with a trailer, without which restore refuses it: behind a
pipe, look at the exit code as well (set -o pipefail).`,
		example: "  breaking-backups dump | psql -v ON_ERROR_STOP=1 -d copy\n  breaking-backups dump --output app.sql",
		groups:  []string{"jobs", "job", "postgres", "selection", "mysql", "mongo", "log"},
		needs:   func(*config) needs { return needs{job: true} },
		flags: func(flags *pflag.FlagSet) {
			flags.StringVarP(&path, "output", "o", "", "write to this `file`, which appears or is replaced only when it is whole; pipes and devices are written into")
		},
		run: func(ctx context.Context, cfg *config) error {
			cfg, err := cfg.only("dump")
			if err != nil {
				return err
			}
			j, err := newJob(cfg)
			if err != nil {
				return err
			}
			tell := a.environment(cfg).teller(event.Run{})
			src, err := j.engine.source(toldBy(tell))
			if err != nil {
				return err
			}
			if path == "" || path == "-" {
				if terminal.Is(a.stdout) {
					return exit.UsageError{Err: fmt.Errorf("dump: %w", errToTerminal)}
				}
				return exit.Explain(ctx, passDump(ctx, j, src, tell, output.NewWriter(a.stdout)))
			}
			return exit.Explain(ctx, output.Write(ctx, path, func(w io.Writer) error { return passDump(ctx, j, src, tell, w) }))
		},
	}
}

// errToTerminal refuses to write a dump where a person would have to read it.
var errToTerminal = errors.New("stdout: it is a terminal")

// passDump has a dump written to w. Whoever reads there does not hold the database for longer than
// STALL_TIMEOUT_SECONDS.
func passDump(ctx context.Context, j job, src source, tell *audience.Teller, w io.Writer) error {
	options := stream.PipeOptions{
		Stall: j.stall,
		Still: func(side stream.Side, since time.Duration) {
			since = since.Round(time.Second)
			if side == stream.Consumer {
				tell.Warn("the reader does not take the dump", "since", since)
				return
			}
			tell.Note("waiting for the database", "since", since)
		},
	}
	_, err := options.Pipe(ctx, src.Dump, func(ctx context.Context, r io.Reader) error { return copyOut(ctx, w, r) })
	return err
}

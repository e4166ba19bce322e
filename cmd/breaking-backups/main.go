// Breaking-backups backs a database up into a restic repository on a schedule, and puts it back.
//
// This package is the only one that knows two others: it reads the configuration, wires a dump to
// restic, decides when to try again, and what a person can do about an error. A command is a file,
// an engine one with its settings, its hints and its constructor. What is a subject of its own is a
// room below internal: how settings are read, how the program ends, when runs are due, who hears of
// them, what is secret, where output goes, how text comes before a person.
package main

import (
	"context"
	"io"
	"os"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/memory"
	"github.com/breaking-backups/breaking-backups/notify/metrics"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it runs the command that args name and returns the exit code.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	memory.CollectEarly(env)
	board := status.NewBoard()
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr, board: board, meter: metrics.New(board, programVersion())}
	return exit.Run(ctx, stderr, func(ctx context.Context) int { return a.execute(ctx, args) })
}

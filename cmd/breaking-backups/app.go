package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/memory"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/metrics"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/restic"
)

// What a person sees. Results go to stdout. What is wrong goes to stderr as "breaking-backups:
// error: …", and below it, where a person can act, "breaking-backups: hint: …". Commands that back
// up tell their story in the log instead, the failure and the hint included, as they run where
// nobody looks; when that log is JSON, so is everything else that they say.

// app is one run of the program.
type app struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer

	begun bool // the command line made sense; what fails now is not its fault
	locks restic.LockHistory
	turns turns
	board *status.Board
	meter *metrics.Metrics

	// Set once the configuration is read.
	cfg  *config
	log  logger
	logs bool // the command's own
}

// command is a command of the program, a file each.
type command struct {
	use, short string
	long       string // more than short says; may be empty
	example    string
	groups     []string             // of settings: its flags, and the variables in its help; nil: it needs no configuration at all
	needs      func(*config) needs  // nil: nothing
	logs       bool                 // it tells what happens in the log, and the webhook of a configuration that is wrong
	flags      func(*pflag.FlagSet) // its own; may be nil
	run        func(ctx context.Context, cfg *config) error
}

// execute runs the command that args name and returns the exit code.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.begun {
		err = exit.UsageError{Err: err}
	}
	var reported exit.ReportedError
	if err != nil && !errors.As(err, &reported) {
		a.printError(err)
	}
	a.log.close()
	return exit.Code(ctx, err)
}

// root is the program's command line. Without a command it is start.
func (a *app) root() *cobra.Command {
	root := a.cobra(a.start())
	root.Use, root.Short, root.Example = "breaking-backups [command]", "Back databases up into a restic repository, and put them back", rootExample
	root.Long, root.Args = rootLong, nil // cobra's own check, which suggests commands
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpFunc(printHelp)
	for _, c := range a.commands() {
		root.AddCommand(a.cobra(c))
	}
	return root
}

// commands are all, each from its file.
func (a *app) commands() []command {
	return []command{a.start(), a.runOnce(), a.forgetPrune(), a.init(), a.dump(), a.restore(), a.verify(), a.snapshots(), a.healthcheck(), a.version()}
}

const rootLong = `Back databases up into a restic repository, and put them back.

The dump is read over the wire and streamed into restic without touching the disk. A snapshot holds a whole dump, or it
does not exist. Variables of the environment say what to do, and flags go before them. Without a command, start runs.`

const rootExample = `  # one backup now, of a database of PostgreSQL
  DB_TYPE=postgres PGHOST=db PGDATABASE=app \
  RESTIC_REPOSITORY=/srv/backups RESTIC_PASSWORD_FILE=/run/secrets/restic \
    breaking-backups run-once

  # one every night, and what is kept of them
  CRON_SCHEDULE='30 2 * * *' KEEP_DAILIES=7 KEEP_WEEKLIES=4 breaking-backups

  # what there is, and the latest of it back into a database
  breaking-backups snapshots
  breaking-backups restore --database app_copy

  # a dump without a repository
  breaking-backups dump --output app.sql`

// cobra makes a command of cobra's.
func (a *app) cobra(c command) *cobra.Command {
	cmd := &cobra.Command{
		Use: c.use, Short: c.short, Long: strings.TrimSpace(c.short + ".\n\n" + c.long), Example: c.example,
		Args:              noArguments,
		Annotations:       map[string]string{groupsKey: strings.Join(c.groups, ",")},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	ownSettings().AddFlags(cmd.Flags(), c.groups)
	if c.flags != nil {
		c.flags(cmd.Flags())
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a.begun = true
		return a.runCommand(cmd.Context(), c, ownSettings().FlagValues(cmd.Flags()))
	}
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		name, _, isValue := strings.Cut(args[0], "=") // a variable's, that was to stand before the command
		if isValue {
			name += "=…"
		}
		return fmt.Errorf("%s: want no arguments, got %q", cmd.Name(), name)
	}
	return nil
}

func (a *app) runCommand(ctx context.Context, c command, flags map[string]settings.FlagValue) error {
	if c.groups == nil {
		return c.run(ctx, nil)
	}
	cfg, err := loadConfig(a.env, flags, c.needs)
	a.cfg, a.logs = cfg, c.logs
	a.log = newLogger(cfg, a.stderr, c.logs)
	for _, warning := range cfg.warnings {
		a.log.Warn(warning)
	}
	if err != nil {
		if c.logs {
			return a.misconfigured(ctx, cfg, err)
		}
		return err
	}
	defer memory.Watch(a.log.Logger)()
	err = c.run(ctx, cfg)
	var wrong *exit.ConfigError
	if c.logs && errors.As(err, &wrong) {
		return a.misconfigured(ctx, cfg, err)
	}
	return err
}

// printError tells a person, or the reader of a JSON log, why the program ends.
func (a *app) printError(err error) {
	var known secret.Redactor // a command line may hold an address where none belongs, and is told before secrets are known
	if a.cfg != nil {
		known = a.cfg.redact
	}
	text, advice := known.String(err.Error()), hint(err)
	if a.logs && a.log.json {
		fields := []any{"error", text}
		if advice != "" {
			fields = append(fields, "hint", advice)
		}
		a.log.Error("stopped", fields...)
		return
	}
	if errors.As(err, new(*exit.ConfigError)) || errors.As(err, new(exit.UsageError)) { // their line breaks are ours
		text = terminal.VisibleLines(text)
	} else {
		text = terminal.Visible(text)
	}
	fmt.Fprintf(a.stderr, "breaking-backups: error: %s\n", text)
	if advice != "" {
		fmt.Fprintf(a.stderr, "breaking-backups: hint: %s\n", advice)
	}
}

// misconfigured tells who listens to backups of a configuration that no run can begin with,
// provided that what is wrong leaves them known. The log is told of it as the error that the
// program ends with.
func (a *app) misconfigured(ctx context.Context, cfg *config, err error) error {
	all := []error{err}
	for _, one := range cfg.jobs {
		j := job{name: one.Job.Name, host: one.Job.Host, dbType: one.Job.Type, tags: one.tags, store: newStore(one)}
		tell := audience.NewTeller(j.run(event.Backup), one.redact, nil, hint)
		tell.Subscribe(newListeners(one))
		if unheard := tell.End(ctx, audience.Outcome{Started: time.Now(), Err: err}); unheard != nil {
			all = append(all, unheard)
		}
	}
	if len(all) > 1 {
		return errors.Join(all...)
	}
	return err
}

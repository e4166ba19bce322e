package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/stream"
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
that is done. A file, and with --clean a snapshot too, is read to its end before anything is changed. The load stops at the
first error, refuses a dump that is cut short, and compares the rows with what the dump says of them, table by table. A file
may also be one of mysqldump, mariadb-dump or mongodump --archive.`,
		example: `  breaking-backups restore --database app_copy
  breaking-backups restore --snapshot 4bba301e --clean
  breaking-backups restore --at '2026-11-01 02:00' --database app_copy
  zcat app.sql.gz | breaking-backups restore --file - --database app_copy`,
		groups: []string{"job", "postgres", "mysql", "mongo", "repository", "log"},
		needs:  func(*config) needs { return needs{job: true, repository: opt.file == ""} },
		flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&opt.snapshot, "snapshot", latestSnapshot, "the snapshot's `id`")
			flags.StringVar(&opt.at, "at", "", "the latest snapshot that is not of later than this `time` (in TZ), e.g. '2026-11-01 02:00'")
			flags.StringVar(&opt.file, "file", "", "a `file` instead of a snapshot; - is stdin")
			flags.StringVar(&opt.database, "database", "", "the `name` of the database to load into")
			flags.BoolVar(&opt.clean, "clean", false, "drop what is in the database first")
			flags.BoolVar(&opt.ifEmpty, "if-empty", false, "do nothing, and end with 0, where the database holds something")
			flags.StringArrayVar(&opt.nsInclude, "ns-include", nil, "MongoDB: only these `collections`, e.g. app.users,shop.*")
			flags.StringArrayVar(&opt.nsExclude, "ns-exclude", nil, "MongoDB: not these `collections`")
			flags.StringArrayVar(&opt.nsFrom, "ns-from", nil, "MongoDB: rename these `collections`, e.g. app.*")
			flags.StringArrayVar(&opt.nsTo, "ns-to", nil, "MongoDB: to these `names`, e.g. app_copy.*")
		},
		run: func(ctx context.Context, cfg *config) error {
			if err := opt.check(cfg.zone); err != nil {
				return exit.UsageError{Err: fmt.Errorf("restore: %w", err)}
			}
			j, err := newJob(cfg)
			if err != nil {
				return restoreError{err: err}
			}
			env := a.environment(cfg)
			out, tell := audience.Outcome{Started: time.Now()}, env.teller(j.run(event.Restore))
			err = a.load(ctx, j, env, opt, tell)
			if opt.ifEmpty && errors.Is(err, dump.ErrNotEmpty) && leftBy(err) == "" {
				fmt.Fprintf(a.stdout, "nothing was restored, and nothing changed: %s\n", terminal.Visible(err.Error()))
				err = nil
			}
			if why := exit.Explain(ctx, err); why != nil {
				out.Err = restoreError{err: why, left: leftBy(err)}
			}
			_ = tell.End(ctx, out) // none listens but the log
			return out.Err
		},
	}
}

// restoreError is a failure to restore, for which there are hints of its own.
type restoreError struct {
	err  error
	left string // how the target is left, if it is not as it was
}

// Why a dump is not taken from where it is to come from.
var (
	errFromTerminal = errors.New("stdin: it is a terminal")
	errStdinOnce    = errors.New("stdin: it can be read only once, and --clean reads the dump to its end before it drops anything")
)

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

type restoreOptions struct {
	snapshot, at, file, database string
	clean, ifEmpty               bool

	nsInclude, nsExclude, nsFrom, nsTo []string // of MongoDB

	notAfter time.Time // what at says; zero: nothing
}

// latestSnapshot is what --snapshot is unless it names one.
const latestSnapshot = "latest"

// check reads what the options say, and refuses those that do not go together.
func (o *restoreOptions) check(zone *time.Location) error {
	switch {
	case o.ifEmpty && o.clean:
		return errors.New("--if-empty leaves what is there, and --clean drops it: only one of them can be meant")
	case o.at == "":
		return nil
	case o.snapshot != latestSnapshot:
		return errors.New("--at chooses a snapshot by its time, and --snapshot by its id: only one of them can be meant")
	case o.file != "":
		return errors.New("--at chooses a snapshot, and --file is read in place of one: only one of them can be meant")
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, o.at, zone); err == nil {
			o.notAfter = t
			return nil
		}
	}
	return fmt.Errorf("--at %q: a time expected, such as '2026-11-01 02:00', '2026-11-01 02:00:30' (both in TZ) or 2026-11-01T02:00:00+01:00", o.at)
}

// load puts a dump back into the job's database, and says on stdout what was done.
func (a *app) load(ctx context.Context, j job, env environment, opt restoreOptions, tell *audience.Teller) error {
	tell.Emit(event.Begun{})
	var name string
	var target dump.Target
	compared := "the dump has no manifest to compare with"
	loader, err := j.engine.loader(opt, loadHooks{
		into: func(t dump.Target) {
			target = t
			tellTarget(tell, name, target)
		},
		compared: func(c dump.Comparison) {
			compared = j.engine.compared(c)
			tell.Emit(event.Compared{Tables: c.Tables, Rows: c.Rows})
		},
		warn: tell.WarnOfDump,
	})
	if err != nil {
		return err
	}
	started := time.Now()
	name, produce, err := a.dumpToLoad(ctx, j, env, opt, tell)
	if err != nil {
		return err
	}
	if opt.file == "-" && opt.clean {
		return exit.UsageError{Err: fmt.Errorf("restore: %w", errStdinOnce)}
	}
	if opt.clean || opt.file != "" && opt.file != "-" {
		tell.Phase(event.Verify)
		tell.Note("reading the dump to its end first", "dump", name)
		if _, err := loadPipe(tell, opt).Pipe(ctx, audience.Counted(tell, produce), func(_ context.Context, r io.Reader) error { return loader.Verify(r) }); err != nil {
			return fmt.Errorf("restore: nothing was changed: %w", err)
		}
	}
	tell.Phase(event.Load)
	var loadErr error
	bytes, err := loadPipe(tell, opt).Pipe(ctx, audience.Counted(tell, produce), func(ctx context.Context, r io.Reader) error {
		loadErr = loader.Load(ctx, r)
		return loadErr
	})
	if err != nil {
		// How the target is left is told whoever failed first.
		if partial := (*dump.PartialError)(nil); errors.As(loadErr, &partial) && !errors.As(err, new(*dump.PartialError)) {
			err = &dump.PartialError{Err: err, Left: partial.Left}
		}
		return err
	}
	fmt.Fprintf(a.stdout, "restored %s into %s: %s in %s; %s\n",
		terminal.Visible(name), terminal.Visible(target.String()), terminal.Size(uint64(bytes)), time.Since(started).Round(time.Millisecond), compared)
	return nil
}

// loadPipe is how a dump passes to a database. Neither side is bound: what the store keeps waiting
// restic's client ends, a database may be building an index, and who feeds a pipe may take his
// time.
func loadPipe(tell *audience.Teller, opt restoreOptions) stream.PipeOptions {
	return stream.PipeOptions{Still: func(side stream.Side, since time.Duration) {
		since = since.Round(time.Second)
		switch {
		case side == stream.Consumer:
			tell.Note("waiting for the database", "since", since)
		case opt.file != "": // of a store restic's client tells
			tell.Warn("nothing more of the dump comes", "file", opt.file, "since", since)
		}
	}}
}

// tellTarget says where a dump goes and what is dropped there, before that is done.
func tellTarget(tell *audience.Teller, name string, target dump.Target) {
	args := []any{"dump", name, "into", target.String(), "server", target.Server}
	if len(target.Drops) > 0 {
		args = append(args, "drops", dump.Listed(target.Drops))
	}
	tell.Note("restoring", args...)
}

// dumpToLoad returns the wanted dump's name for people, and what writes it.
func (a *app) dumpToLoad(ctx context.Context, j job, env environment, opt restoreOptions, tell *audience.Teller) (name string, produce func(context.Context, io.Writer) error, err error) {
	switch opt.file {
	case "":
	case "-":
		if terminal.Is(a.stdin) {
			return "", nil, exit.UsageError{Err: fmt.Errorf("restore: %w", errFromTerminal)}
		}
		return "stdin", func(ctx context.Context, w io.Writer) error {
			return copyIn(ctx, w, func() (io.ReadCloser, error) { return io.NopCloser(a.stdin), nil })
		}, nil
	default:
		return opt.file, func(ctx context.Context, w io.Writer) error {
			return copyIn(ctx, w, func() (io.ReadCloser, error) { return os.Open(opt.file) })
		}, nil
	}
	client, err := env.checkedRestic(ctx, j.store, tell)
	if err != nil {
		return "", nil, err
	}
	snapshot, err := findSnapshot(ctx, client, j, opt.snapshot, opt.notAfter, tell)
	if err != nil {
		return "", nil, fmt.Errorf("restore: %w", err)
	}
	name = fmt.Sprintf("snapshot %s of %s", shortID(snapshot.ID), env.showTime(snapshot.Time))
	return name, func(ctx context.Context, w io.Writer) error {
		return client.Dump(ctx, snapshot.ID, snapshot.Paths[0], w)
	}, nil
}

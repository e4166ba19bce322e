package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

func (a *app) restore() command {
	var opt restoreOptions
	return command{
		use:   "restore",
		short: "Put a dump back into a database: this job's latest snapshot, another, or a file",
		long: `The dump is loaded over the wire; psql is not needed. It goes into PGDATABASE, or the database that --database names, which must
exist and be empty. The load stops at the first error, refuses a dump that is cut short, and counts the rows at the end.`,
		example: `  breaking-backups restore --database app_copy
  breaking-backups restore --snapshot 4bba301e --clean
  zcat app.sql.gz | breaking-backups restore --file - --database app_copy`,
		groups: []string{"job", "database", "repository", "log"},
		needs:  func(*config) needs { return needs{job: true, repository: opt.file == ""} },
		flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&opt.snapshot, "snapshot", "latest", "the snapshot's `id`")
			flags.StringVar(&opt.file, "file", "", "a `file` instead of a snapshot; - is stdin")
			flags.StringVar(&opt.database, "database", "", "the `name` of the database to load into")
			flags.BoolVar(&opt.clean, "clean", false, "drop what is in the database first")
		},
		run: func(ctx context.Context, cfg *config) error { return explain(ctx, a.load(ctx, cfg, opt)) },
	}
}

type restoreOptions struct {
	snapshot, file, database string
	clean                    bool
}

// load runs the restore and says on stdout what was done.
func (a *app) load(ctx context.Context, cfg *config, opt restoreOptions) error {
	loader, err := newLoader(cfg, opt.database, opt.clean, a.warn)
	if err != nil {
		return err
	}
	started := time.Now()
	from, bytes, err := a.feed(ctx, cfg, opt, loader)
	if err != nil {
		return err
	}
	target := opt.database
	if target == "" {
		src, err := newSource(cfg, a.warn)
		if err != nil {
			return err
		}
		target = src.Database()
	}
	fmt.Fprintf(a.stdout, "restored %s into database %s: %s in %s\n", from, target, size(uint64(bytes)), time.Since(started).Round(time.Millisecond))
	return nil
}

// feed hands the wanted dump to loader. It returns the dump's name for people, and its size.
func (a *app) feed(ctx context.Context, cfg *config, opt restoreOptions, loader dump.Loader) (from string, bytes int64, err error) {
	if opt.file != "" {
		file, err := a.openDump(opt.file)
		if err != nil {
			return "", 0, err
		}
		defer file.Close()
		bytes, err = stream.Pipe(
			ctx,
			func(_ context.Context, w io.Writer) error { _, err := io.Copy(w, file); return err },
			loader.Load,
		)
		return opt.file, bytes, err
	}
	snapshot, path, err := a.findSnapshot(ctx, cfg, opt.snapshot)
	if err != nil {
		return "", 0, err
	}
	a.log.Info("restore started", "snapshot", snapshot.ShortID, "time", snapshot.Time, "path", path)
	client := newRestic(cfg)
	bytes, err = stream.Pipe(
		ctx,
		func(ctx context.Context, w io.Writer) error { return client.Dump(ctx, snapshot.ID, path, w) },
		loader.Load,
	)
	return fmt.Sprintf("snapshot %s of %s", shortID(snapshot.ID), showTime(cfg, snapshot.Time)), bytes, err
}

// openDump opens a file with a dump, or stdin for "-".
func (a *app) openDump(name string) (io.ReadCloser, error) {
	if name == "-" {
		if isTerminal(a.stdin) {
			return nil, usageError{errors.New("restore: stdin is a terminal; want a dump")}
		}
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(name)
}

// findSnapshot returns the snapshot that id names, any job's, or the latest of this job, and the path of the dump in it.
func (a *app) findSnapshot(ctx context.Context, cfg *config, id string) (restic.Snapshot, string, error) {
	b, err := a.newBackup(cfg)
	if err != nil {
		return restic.Snapshot{}, "", err
	}
	var filter restic.Filter
	if id == "latest" {
		filter = b.filter()
	}
	all, err := b.restic.Snapshots(ctx, filter)
	if err != nil {
		return restic.Snapshot{}, "", err
	}
	if id == "latest" {
		if len(all) == 0 {
			return restic.Snapshot{}, "", fmt.Errorf("restore: job %s on host %s: %w", b.job.name, b.job.host, errNoSnapshot)
		}
		return all[len(all)-1], b.job.path(), nil
	}
	found := slices.DeleteFunc(all, func(s restic.Snapshot) bool { return !strings.HasPrefix(s.ID, id) })
	switch {
	case len(found) == 0:
		return restic.Snapshot{}, "", fmt.Errorf("restore: snapshot %s: %w", id, errNoSnapshot)
	case len(found) > 1:
		return restic.Snapshot{}, "", fmt.Errorf("restore: snapshot %s: %d snapshots begin with this", id, len(found))
	case len(found[0].Paths) != 1:
		return restic.Snapshot{}, "", fmt.Errorf("restore: snapshot %s holds %d paths; want one made by this program", id, len(found[0].Paths))
	}
	return found[0], found[0].Paths[0], nil
}

// errNoSnapshot says that what was asked for is not in the repository.
var errNoSnapshot = errors.New("there is no such snapshot")

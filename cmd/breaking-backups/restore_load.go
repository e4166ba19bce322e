package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/progress"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/stream"
)

// A restoration is one run of restore.
type restoration struct {
	app     *app
	job     job
	env     environment
	opt     restoreOptions
	tracker *progress.Tracker
	tell    *audience.Teller
	decline context.CancelCauseFunc // ends the load before anything is changed
	loading context.Context         // the load's

	name     string     // of the dump, for people
	whole    dumpSource // all of it
	wanted   dumpSource // what the load needs of it
	target   dump.Target
	compared string                    // what was, for people
	asking   atomic.Bool               // a person is being asked, and takes his time
	work     atomic.Pointer[dump.Work] // that the load is at besides rows; nil: it has told of none
}

// run puts a dump back into the job's database, and says on stdout what was done.
func (r *restoration) run(ctx context.Context) error {
	r.tell.Emit(event.Begun{})
	ctx, r.decline = context.WithCancelCause(ctx)
	defer r.decline(nil)
	loader, err := r.job.engine.loader(r.opt, r.hooks())
	if err != nil {
		return exit.UsageError{Err: fmt.Errorf("restore: %w", err)}
	}
	started := time.Now()
	if err := r.find(ctx); err != nil {
		return err
	}
	defer r.whole.close()
	if err := awaitServer(ctx, loader, r.opt.wait, r.tell); err != nil {
		return err
	}
	if r.wanted, err = r.needed(ctx, loader); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if r.opt.dryRun {
		return r.rehearse(ctx, loader)
	}
	if r.opt.clean || r.opt.file != "" && r.opt.file != "-" {
		if err := r.verify(ctx, loader); err != nil {
			return err
		}
	}
	bytes, err := r.load(ctx, loader)
	if err == nil || errors.As(err, new(*dump.IncompleteError)) {
		r.printSummary(bytes, time.Since(started), err)
	}
	return err
}

// printSummary says what was restored. err is nil, or what is missing.
func (r *restoration) printSummary(bytes int64, took time.Duration, err error) {
	r.tracker.End()
	but, result := "", r.compared
	if missing := (*dump.IncompleteError)(nil); errors.As(err, &missing) {
		but, result = ", but for what the server refuses", missing.Error()
	}
	fmt.Fprintf(r.app.stdout, "restored %s into %s%s: %s in %s; %s\n",
		terminal.Visible(r.name), terminal.Visible(r.target.String()), but, terminal.Size(uint64(bytes)), took.Round(time.Millisecond), terminal.Visible(result))
}

// hooks are told what the load does.
func (r *restoration) hooks() loadHooks {
	r.compared = "the dump has no manifest to compare with"
	hooks := loadHooks{
		into: func(target dump.Target) {
			r.target = target
			r.tellTarget()
			if len(target.Drops) == 0 || r.opt.yes || !r.app.asks() {
				return
			}
			r.asking.Store(true)
			defer r.asking.Store(false)
			defer r.env.log.screen.Hide()()
			if err := r.app.confirm(r.loading, r.name, target); err != nil {
				r.decline(err)
			}
		},
		compared: func(c dump.Comparison) {
			r.compared = r.job.engine.compared(c)
			r.tell.Emit(event.Compared{Tables: c.Tables, Rows: c.Rows})
		},
		working: func(w dump.Work) { r.work.Store(&w) },
		warn:    r.tell.WarnOfDump,
	}
	if r.opt.onError == continueOnError {
		hooks.refused = func(refusal dump.Refusal) {
			r.tell.Refused(event.Refused{Line: refusal.Line, What: refusal.What, Rows: refusal.Rows, Error: refusal.Err.Error()})
		}
	}
	return hooks
}

// tellTarget says where the dump goes and what is dropped there, before that is done.
func (r *restoration) tellTarget() {
	args := []any{"dump", r.name, "into", r.target.String(), "server", r.target.Server}
	if len(r.target.Drops) > 0 {
		args = append(args, "drops", dump.Listed(r.target.Drops))
	}
	r.tell.Note("restoring", args...)
}

// verify reads the dump to its end, before anything is changed. Of a snapshot that is what the load
// needs of it: restic knows each of its blobs by a hash. A file nobody vouches for but its own last
// line.
func (r *restoration) verify(ctx context.Context, loader destination) error {
	from := r.wanted
	if r.opt.file != "" {
		from = r.whole
	}
	r.tell.Note("reading the dump to its end first", "dump", r.name)
	_, err := r.pipe().Pipe(ctx, r.passes(event.Verify, from), func(_ context.Context, from io.Reader) error { return loader.Verify(from) })
	if err != nil {
		return fmt.Errorf("restore: nothing was changed: %w", err)
	}
	return nil
}

// load has the dump go into the database, and returns how many bytes of it did.
func (r *restoration) load(ctx context.Context, loader destination) (bytes int64, err error) {
	var loadErr error
	defer r.watch()()
	bytes, err = r.pipe().Pipe(ctx, r.passes(event.Load, r.wanted), func(ctx context.Context, from io.Reader) error {
		r.loading = ctx
		loadErr = loader.Load(ctx, from)
		return loadErr
	})
	if err != nil && errors.Is(context.Cause(ctx), errDeclined) { // whoever was waiting for whom
		return bytes, fmt.Errorf("restore: %w", errDeclined)
	}
	// How the target is left is told whoever failed first.
	if partial := (*dump.PartialError)(nil); err != nil && errors.As(loadErr, &partial) && !errors.As(err, new(*dump.PartialError)) {
		err = &dump.PartialError{Err: err, Left: partial.Left}
	}
	return bytes, err
}

// passes writes a dump in a phase of its own, and tells how much of it has passed.
func (r *restoration) passes(phase event.PhaseName, from dumpSource) func(context.Context, io.Writer) error {
	r.tracker.Locate(from.tableAt)
	r.tell.Passing(event.Phase{Name: phase, Total: from.bytes})
	return audience.Counted(r.tell, from.produce)
}

// pipe is how the dump passes to the database. Neither side is bound: what the store keeps waiting
// restic's client ends, a database may be building an index, and who feeds a pipe may take his
// time.
func (r *restoration) pipe() stream.PipeOptions {
	return stream.PipeOptions{Still: func(side stream.Side, since time.Duration) {
		since = since.Round(time.Second)
		switch {
		case r.asking.Load(): // it is no database that is waited for
		case side == stream.Consumer:
			r.tell.Note("waiting for the database", r.building("since", since)...)
		case r.opt.file != "": // of a store restic's client tells
			r.tell.Warn("nothing more of the dump comes", "file", r.opt.file, "since", since)
		}
	}}
}

// find looks for the wanted dump.
func (r *restoration) find(ctx context.Context) error {
	switch r.opt.file {
	case "":
		return r.findSnapshot(ctx)
	case "-":
		r.name = "stdin"
		r.whole.produce = func(ctx context.Context, w io.Writer) error {
			return copyIn(ctx, w, func() (io.ReadCloser, error) { return io.NopCloser(r.app.stdin), nil })
		}
	default:
		r.name = r.opt.file
		var err error
		if r.whole, err = fileSource(ctx, r.opt.file); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	return nil
}

// findSnapshot looks for the dump in the repository.
func (r *restoration) findSnapshot(ctx context.Context) error {
	client, err := r.env.checkedRestic(ctx, r.job.store, r.tell)
	if err != nil {
		return err
	}
	snapshot, err := findSnapshot(ctx, client, r.job, r.opt.snapshot, r.opt.notAfter, r.tell)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	r.name = fmt.Sprintf("snapshot %s of %s", shortID(snapshot.ID), r.env.showTime(snapshot.Time))
	r.whole.bytes = int64(snapshot.Summary.TotalBytesProcessed)
	r.whole.open = func(ctx context.Context) (placed, error) {
		return openSnapshot(ctx, client, snapshot.ID, snapshot.Paths[0])
	}
	r.whole.produce = func(ctx context.Context, w io.Writer) error {
		return client.Dump(ctx, snapshot.ID, snapshot.Paths[0], w)
	}
	return nil
}

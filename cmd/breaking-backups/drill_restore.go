package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/stream"
)

// headSize is how much of a dump's beginning a scratch database is made by.
const headSize = 64 << 10

// readContents finds out what a dump of several databases holds: by its manifest, where that can be
// had before the dump is, else by reading all of it. Of a dump of one it comes with the dump.
func (d *drill) readContents(ctx context.Context) error {
	if !d.engine.several {
		return nil
	}
	if d.engine.sql {
		var err error
		if d.from, d.contents, err = snapshotContents(ctx, d.restic, d.snapshot.ID, d.snapshot.Paths[0]); errors.Is(err, dump.ErrNoManifest) {
			err = exit.UntriedError{Err: errNoParts}
		}
		return err
	}
	loader, err := d.at.engine().loader(restoreOptions{onError: stopOnError}, loadHooks{warn: func(string) {}})
	if err != nil {
		return err
	}
	_, err = stream.Pipe(ctx, func(ctx context.Context, w io.Writer) error {
		return d.restic.Dump(ctx, d.snapshot.ID, d.snapshot.Paths[0], w)
	}, func(ctx context.Context, from io.Reader) error {
		found, err := loader.Rehearse(ctx, from)
		d.contents = &dump.Contents{Tables: found.Tables}
		return err
	})
	return err
}

var errNoParts = errors.New("drill: the dump is of several databases and does not say where each is: it was made before dumps did")

// head is the beginning of the dump, or of one database in a dump of several.
func (d *drill) head(ctx context.Context, database string) ([]byte, error) {
	if d.from.spans == nil {
		var err error
		if d.from, err = openSnapshot(ctx, d.restic, d.snapshot.ID, d.snapshot.Paths[0]); err != nil {
			return nil, err
		}
	}
	begin := d.begin(database)
	var head bytes.Buffer
	err := d.from.spans(ctx, &head, []dump.Span{{First: begin, Bytes: min(headSize, d.from.size-begin)}})
	return head.Bytes(), err
}

// begin is where a database begins in a dump of several; 0: nobody knows, or at the beginning.
func (d *drill) begin(database string) int64 {
	if d.contents == nil {
		return 0
	}
	at := slices.Index(d.engine.within(d.contents), database)
	names := d.contents.Databases()
	if at < 0 || at >= len(names) {
		return 0
	}
	for _, p := range d.contents.Parts {
		if p.Kind == dump.Definitions && p.Name == names[at] {
			return p.First
		}
	}
	return 0
}

// restore loads the dump, or one database of it, into the named one, and returns what the dump says
// of what was loaded.
func (d *drill) restore(ctx context.Context, name, database string) (dump.Manifest, error) {
	var said dump.Comparison
	loader, err := d.at.engine().loader(d.engine.scratchOptions(name, database), loadHooks{
		compared: func(c dump.Comparison) { said = c },
		into:     func(t dump.Target) { d.evidence.Server = t.Server },
		warn:     d.warn,
	})
	if err != nil {
		return nil, err
	}
	d.tell.Note("restoring for a drill", "snapshot", shortID(d.snapshot.ID), "into", "database "+name)
	started := time.Now()
	produce := func(ctx context.Context, w io.Writer) error {
		d.tell.Passing(event.Phase{Name: event.Load, Total: int64(d.snapshot.Summary.TotalBytesProcessed)})
		return d.restic.Dump(ctx, d.snapshot.ID, d.snapshot.Paths[0], w)
	}
	options := stream.PipeOptions{Still: func(side stream.Side, since time.Duration) {
		if side == stream.Consumer {
			d.tell.Note("waiting for the database", "since", since.Round(time.Second))
		}
	}}
	bytes, err := options.Pipe(ctx, audience.Counted(d.tell, produce), func(ctx context.Context, from io.Reader) error { return loader.Load(ctx, from) })
	d.evidence.restored(time.Since(started), bytes)
	if err != nil {
		return nil, restoreError{err: fmt.Errorf("drill: %w", err)} // for the hints of one
	}
	return said.Of, nil
}

// readBack reads all that the named database holds, as a backup would, and returns what it is.
func (d *drill) readBack(ctx context.Context, name string) (dump.Manifest, error) {
	var held dump.Manifest
	hooks := toldBy(d.tell)
	hooks.warn = d.warn
	told := hooks.table
	hooks.table = func(t dump.Table) {
		held = append(held, t)
		told(t)
	}
	src, err := d.at.of(name).source(hooks)
	if err != nil {
		return nil, err
	}
	err = audience.Counted(d.tell, func(ctx context.Context, w io.Writer) error {
		d.tell.Passing(event.Phase{Name: event.Read, Total: int64(d.snapshot.Summary.TotalBytesProcessed), Estimated: true})
		return src.Dump(ctx, w)
	})(ctx, io.Discard)
	if err != nil {
		return nil, fmt.Errorf("drill: read back: %w", err)
	}
	return held, nil
}

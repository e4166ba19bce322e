package main

import (
	"context"
	"io"
	"sort"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// A dumpSource is where the dump that is restored comes from, or a part of it.
type dumpSource struct {
	produce func(context.Context, io.Writer) error // writes it; of stdin once
	bytes   int64                                  // that it has; 0: nobody knows
	parts   dump.Parts                             // where everything is in it; nil: nobody knows

	// open is the dump where any byte of it can be had; nil: it has to be read from its beginning.
	open func(context.Context) (placed, error)
	file io.Closer // nil: there is nothing to close
}

// placed is a dump of which any byte can be had.
type placed struct {
	end   io.ReaderAt // for the manifest
	spans dump.SpanReader
	size  int64
}

// namesFrom is from how many bytes on a whole snapshot's manifest is read beforehand, for nothing
// but the names of the tables that are under way. It takes as long as two runs of restic, and where
// a store stands still no longer than namesWithin.
const (
	namesFrom   = 1 << 30
	namesWithin = 20 * time.Second
)

// picker is a destination that knows from a dump's manifest which parts of it a load needs.
type picker interface{ Wants(dump.Part) bool }

// definitionPicker is a picker that knows more of that once it has read the definitions: r has the
// dump's head and all definitions that Wants wants.
type definitionPicker interface {
	WantsBy(r io.Reader) (func(dump.Part) bool, error)
}

// needed is what the load needs of the dump. Where its manifest says where everything is, the rest
// is passed over; else, as of stdin, of mysqldump's files and of dumps from before there was one,
// it is all read, and the load leaves out what it does not want.
func (r *restoration) needed(ctx context.Context, loader destination) (dumpSource, error) {
	picks, ok := loader.(picker)
	if !ok || !r.job.engine.sql || r.whole.open == nil || !r.opt.chooses() && r.opt.file == "" && r.whole.bytes < namesFrom {
		return r.whole, nil
	}
	reading := ctx
	if !r.opt.chooses() {
		within, cancel := context.WithTimeout(ctx, namesWithin)
		defer cancel()
		reading = within
	}
	from, err := r.whole.open(reading)
	if err != nil {
		return r.whole, r.passing(ctx, err)
	}
	contents, err := dump.ReadContents(from.end, from.size)
	if err != nil {
		return r.whole, r.passing(ctx, err)
	}
	r.whole.parts = contents.Parts
	if !r.opt.chooses() {
		return r.whole, nil
	}
	wants := picks.Wants
	if more, ok := loader.(definitionPicker); ok {
		if wants, err = wantsBy(ctx, more, wants, contents, from.spans); err != nil {
			return dumpSource{}, err
		}
	}
	excerpt, err := contents.Excerpt(wants)
	if err != nil || excerpt.Passed == 0 {
		return r.whole, r.passing(ctx, err)
	}
	needed := dumpSource{parts: excerpt.Contents.Parts}
	for _, s := range excerpt.Spans {
		needed.bytes += s.Bytes
	}
	r.tell.Note("a part of the dump is read, and the rest passed over", "bytes", needed.bytes, "of", from.size)
	needed.produce = func(ctx context.Context, w io.Writer) error {
		from, err := r.whole.open(ctx)
		if err != nil {
			return err
		}
		return excerpt.Write(ctx, w, from.spans)
	}
	return needed, nil
}

// wantsBy is which parts of the dump are wanted by what its definitions say.
func wantsBy(ctx context.Context, picks definitionPicker, wants func(dump.Part) bool, contents *dump.Contents, spans dump.SpanReader) (func(dump.Part) bool, error) {
	definitions, err := contents.Excerpt(func(p dump.Part) bool { return p.Kind == dump.Definitions && wants(p) })
	if err != nil {
		return nil, err
	}
	var byDefinitions func(dump.Part) bool
	_, err = stream.Pipe(ctx, func(ctx context.Context, w io.Writer) error {
		return definitions.Write(ctx, w, spans)
	}, func(_ context.Context, from io.Reader) (err error) {
		if byDefinitions, err = picks.WantsBy(from); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, from)
		return err
	})
	return byDefinitions, err
}

// passing is what becomes of an error on the way to a manifest: all of the dump is read then.
func (r *restoration) passing(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		r.tell.Debug("all of the dump is read: " + err.Error())
	}
	return nil
}

// chooses tells whether there may be parts of the dump that are not wanted.
func (o *restoreOptions) chooses() bool {
	whole := func(list string) []string { return []string{list} }
	return !o.part(whole).All()
}

// openSnapshot is a snapshot's file as such a dump.
func openSnapshot(ctx context.Context, client *restic.Client, id, path string) (placed, error) {
	file, err := client.Open(ctx, id, path)
	if err != nil {
		return placed{}, err
	}
	return placed{end: file.FromEnd(ctx), spans: file.Copy, size: file.Size}, nil
}

// snapshotContents are what a snapshot's dump says at its end that it holds, of one in SQL.
func snapshotContents(ctx context.Context, client *restic.Client, id, path string) (placed, *dump.Contents, error) {
	from, err := openSnapshot(ctx, client, id, path)
	if err != nil {
		return placed{}, nil, err
	}
	contents, err := dump.ReadContents(from.end, from.size)
	return from, contents, err
}

// tableAt is the table that the byte at a place of the dump is of, or empty.
func (d dumpSource) tableAt(at int64) string {
	i := sort.Search(len(d.parts), func(i int) bool { return d.parts[i].End() > at })
	if i == len(d.parts) || d.parts[i].Kind == dump.Definitions {
		return ""
	}
	return d.parts[i].Name
}

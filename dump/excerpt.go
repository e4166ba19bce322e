package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A Span is a stretch of a file: its first byte, counted from 0, and how many there are. The type
// has no name of its own, so that who reads spans and who wants them need not know each other.
type Span = struct{ First, Bytes int64 }

// A SpanReader writes spans of a dump to w, one behind the other. They are in the dump's order, and
// none overlaps another.
type SpanReader func(ctx context.Context, w io.Writer, spans []Span) error

// An Excerpt is a SQL dump of some parts of another: these as they stand there, then a manifest and
// a last line of its own. Who reads it finds a whole dump of fewer tables, and needs to know
// nothing of the rest, which nobody reads.
//
// What it has of tables' rows is vouched for as before: the numbers and hashes in its manifest are
// those of the other one, and a load compares with them. Its last line says no more than that the
// excerpt arrived as it was put together. For definitions, and for the manifest that all is taken
// from, stands whoever reads the spans: restic, which knows each blob by its hash; a file that was
// read to its end before.
type Excerpt struct {
	Contents Contents // of the excerpt
	Spans    []Span   // of the other dump, in its order; what adjoins is one
	Passed   int64    // bytes of the other dump's parts that are passed over; 0: the excerpt is all of it
}

// Excerpt returns the excerpt of a SQL dump that has the parts that are wanted, and in any case the
// first, which begins with the dump's head. wants is asked once for each part. It is also asked for
// a table of which the dump has no bytes of rows, by a part of Rows of no length, and says whether
// the excerpt's manifest lists it.
//
// The error is ErrNoManifest where c has no parts.
func (c *Contents) Excerpt(wants func(Part) bool) (*Excerpt, error) {
	if len(c.Parts) == 0 {
		return nil, ErrNoManifest
	}
	e := new(Excerpt)
	rows := make([]Part, 0, len(c.Tables)) // wanted or not
	var wanted []bool                      // which of rows are
	var at int64
	for i, p := range c.Parts {
		if p.Frame > 0 || p.Skip > 0 {
			return nil, errors.New("an excerpt of a dump that is compressed in frames: only a SQL dump has one")
		}
		takes := wants(p) || i == 0
		if p.Kind == Rows {
			rows, wanted = append(rows, p), append(wanted, takes)
		}
		if !takes {
			e.Passed += p.Bytes
			continue
		}
		e.Contents.Parts.Begin(p.Kind, p.Name, at)
		at += p.Bytes
		e.add(Span{First: p.First, Bytes: p.Bytes})
	}
	e.Contents.Parts.End(at)
	err := e.list(c.Tables, rows, wanted, wants)
	e.Contents.join()
	return e, err
}

// add has a span come behind the others.
func (e *Excerpt) add(s Span) {
	if n := len(e.Spans); n > 0 && e.Spans[n-1].First+e.Spans[n-1].Bytes == s.First {
		e.Spans[n-1].Bytes += s.Bytes
		return
	}
	e.Spans = append(e.Spans, s)
}

// list puts the tables into the manifest whose rows are wanted. A manifest lists the tables in the
// order of their rows, and each table has one part of these, or none: MySQL's empty tables.
func (e *Excerpt) list(tables Manifest, rows []Part, wanted []bool, wants func(Part) bool) error {
	next := 0
	for _, t := range tables {
		var takes bool
		if next < len(rows) && rows[next].Name == t.Name {
			takes = wanted[next]
			next++
		} else {
			takes = wants(Part{Kind: Rows, Name: t.Name, Rows: t.Rows, Hash: t.Hash})
		}
		if takes {
			e.Contents.Tables = append(e.Contents.Tables, t)
		}
	}
	if next < len(rows) {
		return fmt.Errorf("the manifest says where rows of %s are, and does not list that table in its place: %w", shortened(rows[next].Name), ErrDamaged)
	}
	return nil
}

// Write writes the excerpt to w, taking from read what it has of the other dump. What was written
// is whole only if the error is nil.
func (e *Excerpt) Write(ctx context.Context, w io.Writer, read SpanReader) error {
	d := newWriter(w)
	d.parts = slices.Clone(e.Contents.Parts) // known beforehand: nobody calls Begin
	if err := read(ctx, d, e.Spans); err != nil {
		return err
	}
	if want := d.parts[len(d.parts)-1].End(); d.n != want {
		return fmt.Errorf("an excerpt of the dump: %d bytes of it were read, want %d: %w", d.n, want, ErrTruncated)
	}
	return d.End(e.Contents.Tables)
}

// SpansOf returns what reads spans of r: of a file, say.
func SpansOf(r io.ReaderAt) SpanReader {
	return func(_ context.Context, w io.Writer, spans []Span) error {
		for _, s := range spans {
			if _, err := io.Copy(w, io.NewSectionReader(r, s.First, s.Bytes)); err != nil {
				return err
			}
		}
		return nil
	}
}

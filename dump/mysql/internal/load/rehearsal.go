package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Rehearse takes a dump's items to their end as Verify does, looks at the target as Run does, and
// changes nothing. What would keep a Run from beginning is in the rehearsal; the error is of a dump
// that is not whole, or of a server that was not reached.
func Rehearse(ctx context.Context, cfg Config, items iter.Seq2[dump.Item, error]) (dump.Rehearsal, error) {
	cfg.Found = Found{}
	r := &rehearsing{verification: &verification{loading: newLoading(cfg, nil)}, references: newReferences(), rows: make(map[string]int)}
	items, chosen := cfg.chosen(r.noting(items), cfg.Warn)
	err := r.read(items)
	if errors.Is(err, choice.ErrNothingFits) || errors.Is(err, choice.ErrOfOne) {
		r.obstacle(err)
		err = nil
	}
	r.cfg.Found = r.verification.found
	if err == nil {
		r.cfg.Found.Chosen = chosen()
		err = r.look(ctx)
	}
	if r.conn != nil {
		r.conn.Close()
	}
	if err != nil {
		return dump.Rehearsal{}, fmt.Errorf("restore: %w", err)
	}
	return r.found, nil
}

// A rehearsing is one Rehearse under way.
type rehearsing struct {
	*verification
	head       dump.Head
	references *references
	rows       map[string]int // of a dump without a manifest, the places of its tables in found.Tables
	stray      bool           // a statement leads where it may not, or the dump itself goes elsewhere
	parts      dump.Parts     // of the whole dump
	found      dump.Rehearsal
}

// noting hands on a dump's items, and takes note of what its manifest says of the parts.
func (r *rehearsing) noting(items iter.Seq2[dump.Item, error]) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		for item, err := range items {
			if err == nil && item.Contents != nil {
				r.parts = item.Contents.Parts
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// obstacle takes note of what stands in the way of a load.
func (r *rehearsing) obstacle(err error) { r.found.Obstacles = append(r.found.Obstacles, err) }

// read reads the dump to its end.
func (r *rehearsing) read(items iter.Seq2[dump.Item, error]) error {
	for item, err := range items {
		if errors.Is(err, choice.ErrNothingFits) || errors.Is(err, choice.ErrOfOne) || errors.Is(err, dump.ErrElsewhere) {
			r.obstacle(err)
			r.plan = nil
			return nil
		}
		if err == nil {
			err = r.take(item)
		}
		if err != nil || item.Contents != nil {
			return err
		}
	}
	return dump.ErrTruncated
}

func (r *rehearsing) take(item dump.Item) error {
	switch {
	case item.Head != nil:
		r.head = *item.Head
		if err := r.verification.take(item); err != nil {
			r.obstacle(err)
			r.stray = true
		}
		return nil
	case r.head.Form == "" && item.Contents == nil && item.Kind == dump.Rows:
		return r.count(item)
	case item.Contents != nil:
		return r.end(item)
	}
	for st, err := range statements(item) {
		if err != nil {
			return err
		}
		r.references.read(st)
		r.statement(st)
	}
	return nil
}

// statement looks where a statement leads. Of several that may not go there the first is told.
func (r *rehearsing) statement(st statement) {
	if r.stray {
		return
	}
	if err := atLine(st.line, r.verification.read(st)); err != nil {
		r.obstacle(err)
		r.stray = true
	}
}

// count counts the rows of a dump that has no manifest.
func (r *rehearsing) count(item dump.Item) error {
	for st, err := range statements(item) {
		if err != nil {
			return err
		}
		at, ok := r.rows[item.Table]
		if !ok {
			at = len(r.found.Tables)
			r.rows[item.Table] = at
			r.found.Tables = append(r.found.Tables, dump.Table{Name: item.Table})
		}
		r.found.Tables[at].Rows += rowsIn(st.sql, r.of|r.session.Mode())
		r.statement(st)
	}
	return nil
}

// end takes what the manifest says, and holds what was read against it.
func (r *rehearsing) end(item dump.Item) error {
	if len(r.rows) == 0 {
		r.found.Tables = item.Contents.Tables
	}
	bytes := make(map[string]int64)
	for _, p := range r.parts {
		if p.Kind != dump.Rows {
			continue
		}
		bytes[p.Name] += p.Bytes
		if r.cfg.Part != nil && r.cfg.Part.From != "" { // of the one database, which its names are without
			bytes[strings.TrimPrefix(p.Name, quote.Name(r.cfg.Part.From)+".")] += p.Bytes
		}
	}
	r.found.Bytes = make([]int64, len(r.found.Tables))
	for i, t := range r.found.Tables {
		r.found.Bytes[i] = bytes[t.Name]
	}
	if r.stray {
		return nil
	}
	return r.verification.take(item)
}

// look connects to the server and looks at what the dump would meet there.
func (r *rehearsing) look(ctx context.Context) (err error) {
	if r.conn, err = server.Open(ctx, r.cfg.Driver, server.ForLoad, r.cfg.LockTimeout); err != nil {
		return err
	}
	r.srv = r.conn.Info
	r.found.To = fmt.Sprintf("%s %s", r.srv.Family, r.srv.Version)
	r.found.From = r.head.Server
	if of, err := server.ParseNamed(r.head.Server); err == nil {
		r.found.From = fmt.Sprintf("%s %s", of.Family, of.Version)
	}
	r.found.Target.Server = r.cfg.Server.Address()
	for _, check := range []func(context.Context) error{r.leavesBinlog, r.fits, r.suits, r.goes} {
		err := check(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, server.ErrLost):
			return err
		case err != nil:
			r.obstacle(err)
		}
	}
	r.found.Missing, err = r.references.missing(ctx, r.conn)
	return err
}

// leavesBinlog looks whether the load may stay out of the binary log, where it is to.
func (r *rehearsing) leavesBinlog(ctx context.Context) error {
	if !r.cfg.NoBinlog {
		return nil
	}
	return r.conn.LeaveBinlog(ctx)
}

// fits looks whether the server takes the longest row, without which a load may go on.
func (r *rehearsing) fits(ctx context.Context) error {
	var packet int
	if err := r.conn.Row(ctx, "SELECT @@max_allowed_packet", &packet); err != nil {
		return err
	}
	if longest := r.verification.found.Longest; longest > packet-server.PacketHead && !r.refusals.goesOn() {
		return fmt.Errorf("a row of the dump: %w", server.NewPacketError(longest, packet))
	}
	return nil
}

// suits looks whether the dump is one for this server.
func (r *rehearsing) suits(ctx context.Context) error {
	if own, ok := r.plan.(*nativeDump); ok {
		return own.suits(ctx)
	}
	return nil
}

// goes looks where the dump goes and what is there.
func (r *rehearsing) goes(ctx context.Context) error {
	if r.plan == nil { // it goes nowhere
		return nil
	}
	named := r.head.Databases
	if r.head.Form == "" {
		named = r.verification.found.Databases
	}
	p, err := r.place(ctx, named)
	r.found.Target = p.target
	return err
}

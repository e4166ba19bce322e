package load

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Rehearse reads a dump's items to their end and looks at what Run would meet, by the same steps as
// that, and changes nothing. The error is of a dump that is not whole, or of a server that is not
// reached; what else would end Run before it begins is an obstacle.
func Rehearse(ctx context.Context, c Config, items iter.Seq2[dump.Item, error]) (dump.Rehearsal, error) {
	s := &loading{cfg: c}
	r := &rehearsal{loading: s, sizes: map[string]int64{}}
	r.found.Target = dump.Target{Server: c.Server.Address(), Database: c.Database}
	watched := func(yield func(dump.Item, error) bool) {
		for item, err := range items {
			r.note(item)
			if !yield(item, err) {
				return
			}
		}
	}
	err := s.walk(watched, func(planned error) error { return r.look(ctx, planned) }, r.take)
	if err != nil {
		return dump.Rehearsal{}, fmt.Errorf("rehearse the restore: %w", c.Server.WithGrant(err, "restore", "admin"))
	}
	for _, t := range r.found.Tables {
		r.found.Bytes = append(r.found.Bytes, r.sizes[t.Name])
	}
	return r.found, nil
}

// A rehearsal is one Rehearse under way.
type rehearsal struct {
	*loading
	found dump.Rehearsal
	sizes map[string]int64 // of the parts of the dump, by table
}

// note keeps what a dump says of itself.
func (r *rehearsal) note(item dump.Item) {
	if item.Head != nil && item.Head.Server != "" {
		r.found.From = "MongoDB " + item.Head.Server
	}
	if item.Contents == nil {
		return
	}
	for _, p := range item.Contents.Parts {
		if p.Kind == dump.Rows {
			r.sizes[p.Name] = p.Bytes
		}
	}
}

// look looks at the target. planned is why the dump goes nowhere there.
func (r *rehearsal) look(ctx context.Context, planned error) (err error) {
	if r.conn, err = r.cfg.Server.ConnectPrimary(ctx); err != nil {
		return err
	}
	defer r.conn.Close(ctx)
	r.cfg.Server.WarnUnencrypted(r.cfg.Warn)
	r.found.To = r.conn.Info.Product()
	if planned != nil {
		r.found.Obstacles = []error{planned}
		return nil
	}
	if r.replays && r.conn.Info.Mongos {
		r.found.Obstacles = append(r.found.Obstacles, ErrNoReplay)
	}
	withUsers := r.users != nil
	p, err := r.place(ctx)
	r.found.Target = p.target
	if err := r.obstacle(ctx, err); err != nil {
		return err
	}
	if errors.Is(err, dump.ErrNotEmpty) { // then rights have not been looked at
		if err := r.obstacle(ctx, r.checkRights(ctx, nil)); err != nil {
			return err
		}
	}
	if withUsers && (!r.conn.Info.Mongod || r.conn.Info.Proxy) {
		r.found.Missing = append(r.found.Missing, "users and roles: the server takes none")
	}
	r.found.Missing = append(r.found.Missing, r.lacking(ctx)...)
	return nil
}

// obstacle takes note of an error as what stands in the way, and returns one by which nobody knows
// whether anything does: the server is no longer reached, or somebody has ended it.
func (r *rehearsal) obstacle(ctx context.Context, err error) error {
	_, isServers := errors.AsType[mongo.ServerError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isServers && server.IsElection(err):
		return err
	}
	for _, one := range unjoined(err) {
		r.found.Obstacles = append(r.found.Obstacles, r.cfg.Server.WithGrant(one, "restore", "admin"))
	}
	return nil
}

// unjoined are the errors that errors.Join has put together, and what is none of these alone.
func unjoined(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	for _, one := range joined.Unwrap() {
		all = append(all, unjoined(one)...)
	}
	return all
}

// take reads an item as Verify does, and keeps the end of what would be filled.
func (r *rehearsal) take(item dump.Item) error {
	t := r.targets[sourceOf(item)]
	if item.End != nil && t != nil && (t.kind == targetCollection || t.kind == targetTimeSeries) {
		r.found.Tables = append(r.found.Tables, *item.End)
	}
	return r.verifyItem(item)
}

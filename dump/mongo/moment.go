package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A moment is what makes one state of the database of documents that are read
// one after the other, while others write.
type moment struct {
	// oplog is where the recorded oplog begins; zero where none is recorded.
	// Played on what was read, it gives the state at the dump's end.
	oplog bson.Timestamp
	// at is the time as of which all documents are read; zero: as of now.
	at bson.Timestamp
}

// ErrTooOld is returned when a dump took longer than the server can look back.
var ErrTooOld = errors.New("the dump took longer than the server keeps its past (minSnapshotHistoryWindowInSeconds)")

// settle says what is dumped, as of which moment.
func (d *dumping) settle(ctx context.Context) ([]*collection, error) {
	if d.conn.Info.Mongos {
		d.warnOfBalancer(ctx)
	}
	if d.cfg.Oplog == OplogOff {
		return d.list(ctx)
	}
	why := d.noOplog()
	if why == nil {
		d.oplog, why = oplog.Start(ctx, d.conn)
	}
	if why == nil {
		d.cfg.Debug("the oplog is recorded")
		return d.list(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if d.cfg.Oplog == OplogOn {
		return nil, fmt.Errorf("record the oplog: %w", why)
	}
	d.cfg.Debug("the oplog is not recorded: " + why.Error())
	return d.settleSnapshot(ctx)
}

// noOplog says why no oplog can be recorded, as far as that is known at once.
func (d *dumping) noOplog() error {
	switch {
	case !d.whole():
		return errors.New("it is of all databases, and not all of them are dumped")
	case d.conn.Info.Mongos:
		return errors.New("through a mongos there is none; each shard has its own")
	case d.conn.Info.Set == "":
		return errors.New("the server is no member of a replica set")
	}
	return nil
}

// whole tells whether all is dumped that a server holds.
func (s *Source) whole() bool { return s.cfg.Database == "" && s.filter.All() }

// settleSnapshot has the documents read as of one time, and lists the
// collections that there were at that time.
func (d *dumping) settleSnapshot(ctx context.Context) ([]*collection, error) {
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	probe := slices.IndexFunc(all, d.inSnapshot)
	if probe < 0 {
		return all, nil // there is nothing to read
	}
	const tries = 10
	for range tries {
		// Before the moment, as what comes after it is not read.
		estimateAll(ctx, d.conn, all, d.cfg.Jobs)
		at, why := clusterTime(ctx, d.conn, all[probe])
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if why != nil {
			d.cfg.Warn(fmt.Sprintf("the dump is not of one moment, as there is no oplog to record and no snapshot to read (%v): what others write meanwhile may be in it in part", why))
			return all, nil
		}
		again, err := d.list(ctx)
		if err != nil {
			return nil, err
		}
		if slices.EqualFunc(all, again, (*collection).same) {
			d.at = at
			d.cfg.Debug("the documents are read as of one time")
			d.warnOfUnreadInPast(all)
			return all, nil
		}
		if all = again; !slices.ContainsFunc(all, d.inSnapshot) {
			return all, nil
		}
		probe = slices.IndexFunc(all, d.inSnapshot)
	}
	return nil, fmt.Errorf("take a snapshot: collections were made or dropped each of %d times that it was tried", tries)
}

func (c *collection) same(other *collection) bool {
	return c.Namespace() == other.Namespace() && c.Type == other.Type && c.uuid == other.uuid
}

// inSnapshot tells whether a collection can be read as of a time that has passed.
func (d *dumping) inSnapshot(c *collection) bool {
	return !c.isView() && !c.isCapped() && c.DB != "admin" && c.DB != "config" && c.DB != "local" && c.Type != ""
}

func (d *dumping) warnOfUnreadInPast(all []*collection) {
	var names []string
	for _, c := range all {
		if c.isCapped() {
			names = append(names, c.Namespace())
		}
	}
	if len(names) > 0 {
		d.cfg.Warn("capped collections know no snapshot and are read as they are then: " + shown.Names(names))
	}
}

// clusterTime takes the present as the time to read at.
func clusterTime(ctx context.Context, c *server.Conn, probe *collection) (bson.Timestamp, error) {
	command := bson.D{
		{Key: "find", Value: c.Info.Version.DataName(probe.Type, probe.Name)},
		{Key: "limit", Value: 1},
		{Key: "singleBatch", Value: true},
		{Key: "readConcern", Value: bson.D{{Key: "level", Value: "snapshot"}}},
	}
	var answer bson.Raw
	if err := c.Run(ctx, probe.DB, command, &answer); err != nil {
		return bson.Timestamp{}, err
	}
	t, i, ok := answer.Lookup("cursor", "atClusterTime").TimestampOK()
	if !ok { // some servers take the words and do not mean them
		return bson.Timestamp{}, errors.New("the server does not read at one time")
	}
	return bson.Timestamp{T: t, I: i}, nil
}

// readConcern is what a find command says of the moment; nil: nothing.
func (d *dumping) readConcern(c *collection) bson.D {
	if d.at.IsZero() || !d.inSnapshot(c) {
		return nil
	}
	return bson.D{{Key: "level", Value: "snapshot"}, {Key: "atClusterTime", Value: d.at}}
}

// inThePast makes of an error what it is where documents are read as of a time.
func (d *dumping) inThePast(err error) error {
	if !d.at.IsZero() && (server.HasCode(err, server.CodeSnapshotTooOld) || server.HasCode(err, server.CodeSnapshotUnavailable)) {
		return fmt.Errorf("%w: %w", ErrTooOld, err)
	}
	return err
}

// warnOfBalancer tells that chunks may move from shard to shard meanwhile.
func (d *dumping) warnOfBalancer(ctx context.Context) {
	var answer struct {
		Mode string `bson:"mode"`
	}
	err := d.conn.Run(ctx, "admin", bson.D{{Key: "balancerStatus", Value: 1}}, &answer)
	switch {
	case err != nil:
		d.cfg.Warn("whether the cluster's balancer is off is not known: " + err.Error())
	case answer.Mode != "off":
		d.cfg.Warn("the cluster's balancer is on: what it moves during the dump may be missing or come twice; stop it (sh.stopBalancer())")
	}
}

// newOplog is the oplog as it stands in the archive.
func newOplog() *collection {
	return &collection{Collection: archive.Collection{Name: "oplog"}, fromDB: "local", from: "oplog.rs", before: -1}
}

// copyOplog writes the oplog, from the dump's start to now. All of it must be
// there still, and nothing in it that could not be played on what was read.
func (d *dumping) copyOplog(ctx context.Context, out *archive.Writer, recorded *collection, check *oplog.Check) error {
	end, err := oplog.Newest(ctx, d.conn)
	if err != nil {
		return err
	}
	if err := oplog.UntilVisible(ctx, d.conn, end); err != nil {
		return err
	}
	recorded.filter = oplog.Between(d.oplog, end)
	first := true
	var last bson.Timestamp
	recorded.inspect = func(entry bson.Raw) error {
		if first {
			t, i, ok := entry.Lookup("ts").TimestampOK()
			if !ok || !d.oplog.Equal(bson.Timestamp{T: t, I: i}) {
				return oplog.ErrRolledOver
			}
			first = false
		}
		last.T, last.I, _ = entry.Lookup("ts").TimestampOK()
		return check.Entry(entry)
	}
	if err := d.copyDocuments(ctx, out, []*collection{recorded}); err != nil {
		return err
	}
	if first {
		return oplog.ErrRolledOver
	}
	if !last.Equal(end) {
		return fmt.Errorf("read local.oplog.rs: its last entry is of %d.%d, and %d.%d was read last: the server ended its answer too early", end.T, end.I, last.T, last.I)
	}
	oldest, err := oplog.Oldest(ctx, d.conn)
	if err != nil {
		return err
	}
	if d.oplog.Before(oldest) {
		return oplog.ErrRolledOver
	}
	return nil
}

// Package moment makes one state of a database of documents that are read one after the other while
// others write: they are read as of one time, or what happens meanwhile is recorded, as the
// server's oplog has it, for the restore to repeat.
package moment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Point is what makes one state of the database of documents that are read one after the other,
// while others write.
type Point struct {
	// Oplog is where the recorded oplog begins; zero where none is recorded. Played on what was
	// read, it gives the state at the dump's end.
	Oplog bson.Timestamp
	// At is the time as of which all documents are read; zero: as of now.
	At bson.Timestamp
}

// Oplog says how a dump becomes one moment of a database that is written to.
type Oplog string

const (
	OplogAuto Oplog = "auto" // the oplog, else a snapshot, else a warning
	OplogOn   Oplog = "on"   // the oplog, or an error
	OplogOff  Oplog = "off"  // neither: documents are as they were when they were read
)

// Settle says what is dumped, as of which moment. jobs commands are under way at once.
func Settle(ctx context.Context, q *catalog.Inquiry, mode Oplog, jobs int) (p Point, all []*catalog.Collection, err error) {
	if q.Conn.Info.Mongos {
		warnOfBalancer(ctx, q)
	}
	if mode == OplogOff {
		all, err = q.List(ctx)
		return p, all, err
	}
	why := noOplog(q)
	if why == nil {
		p.Oplog, why = oplog.Start(ctx, q.Conn)
	}
	if why == nil {
		q.Debug("the oplog is recorded")
		all, err = q.List(ctx)
		return p, all, err
	}
	if ctx.Err() != nil {
		return p, nil, context.Cause(ctx)
	}
	if mode == OplogOn {
		return p, nil, fmt.Errorf("record the oplog: %w", why)
	}
	q.Debug("the oplog is not recorded: " + why.Error())
	p.At, all, err = settleSnapshot(ctx, q, jobs)
	return p, all, err
}

// noOplog says why no oplog can be recorded, as far as that is known at once.
func noOplog(q *catalog.Inquiry) error {
	switch {
	case !q.Whole():
		return errors.New("it is of all databases, and not all of them are dumped")
	case q.Conn.Info.Mongos:
		return errors.New("through a mongos there is none; each shard has its own")
	case q.Conn.Info.Set == "":
		return errors.New("the server is no member of a replica set")
	}
	return nil
}

// settleSnapshot has the documents read as of one time, and lists the collections that there were
// at that time.
func settleSnapshot(ctx context.Context, q *catalog.Inquiry, jobs int) (at bson.Timestamp, all []*catalog.Collection, err error) {
	all, err = q.List(ctx)
	if err != nil {
		return at, nil, err
	}
	probe := slices.IndexFunc(all, (*catalog.Collection).KnowsPast)
	if probe < 0 {
		return at, all, nil // there is nothing to read
	}
	const tries = 10
	for range tries {
		// Before the moment, as what comes after it is not read.
		catalog.EstimateAll(ctx, q.Conn, all, jobs)
		now, why := clusterTime(ctx, q.Conn, all[probe])
		if ctx.Err() != nil {
			return at, nil, context.Cause(ctx)
		}
		if why != nil {
			q.Warn(fmt.Sprintf("the dump is not of one moment, as there is no oplog to record and no snapshot to read (%v): what others write meanwhile may be in it in part", why))
			return at, all, nil
		}
		again, err := q.List(ctx)
		if err != nil {
			return at, nil, err
		}
		if slices.EqualFunc(all, again, (*catalog.Collection).Same) {
			q.Debug("the documents are read as of one time")
			warnOfUnreadInPast(q, all)
			return now, all, nil
		}
		if all = again; !slices.ContainsFunc(all, (*catalog.Collection).KnowsPast) {
			return at, all, nil
		}
		probe = slices.IndexFunc(all, (*catalog.Collection).KnowsPast)
	}
	return at, nil, fmt.Errorf("take a snapshot: collections were made or dropped each of %d times that it was tried", tries)
}

func warnOfUnreadInPast(q *catalog.Inquiry, all []*catalog.Collection) {
	var names []string
	for _, c := range all {
		if c.IsCapped() {
			names = append(names, c.Namespace())
		}
	}
	if len(names) > 0 {
		q.Warn("capped collections know no snapshot and are read as they are then: " + shown.Names(names))
	}
}

// clusterTime takes the present as the time to read at.
func clusterTime(ctx context.Context, c *server.Conn, probe *catalog.Collection) (bson.Timestamp, error) {
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

// warnOfBalancer tells that chunks may move from shard to shard meanwhile.
func warnOfBalancer(ctx context.Context, q *catalog.Inquiry) {
	var answer struct {
		Mode string `bson:"mode"`
	}
	err := q.Conn.Run(ctx, "admin", bson.D{{Key: "balancerStatus", Value: 1}}, &answer)
	switch {
	case err != nil:
		q.Warn("whether the cluster's balancer is off is not known: " + err.Error())
	case answer.Mode != "off":
		q.Warn("the cluster's balancer is on: what it moves during the dump may be missing or come twice; stop it (sh.stopBalancer())")
	}
}

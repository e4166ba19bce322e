package rows

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// What was read of a collection is held against what the server counts, as a cursor that ends too
// early looks like any other: its last answer is short.
//
// A mongod's count without a query is the number that it keeps beside each collection. It costs
// nothing, and is right but after a crash, in a transaction, and through a mongos, which adds up
// what its shards have, orphans included. FerretDB 2 asks its planner, which knows roughly. So
// these are only asked whether anything is wrong. Where fewer documents were read than there were
// before and after, the server counts them one by one, as of the same time where the dump is of
// one: that is exact. Where it is not of one time, others may have written meanwhile, and the
// server counts twice; if nothing moves and there were more documents all along, what was read is
// short. If something does, or if documents are read by their keys, nobody can say, and there is a
// warning.

// countAll has the server count the documents of a collection one by one, as of the dump's time if
// it has one.
func (rd *Reader) countAll(ctx context.Context, coll *catalog.Collection) (int64, error) {
	db, name := coll.Source(rd.Conn.Info.Version)
	var match bson.A
	if coll.Filter != nil {
		match = bson.A{bson.D{{Key: "$match", Value: coll.Filter}}}
	}
	command := bson.D{
		{Key: "aggregate", Value: name},
		{Key: "pipeline", Value: append(match, bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}})},
		{Key: "cursor", Value: bson.D{}},
	}
	if rc := rd.readConcern(coll); rc != nil {
		command = append(command, bson.E{Key: "readConcern", Value: rc})
	}
	var n int64
	err := rd.Conn.Each(ctx, db, rd.Conn.RawData(command, coll.Type), func(doc bson.Raw) error {
		var ok bool
		if n, ok = doc.Lookup("n").AsInt64OK(); !ok {
			return errors.New("the server's count is no number")
		}
		return nil
	})
	return n, err
}

// holdAgainstCount looks whether so many documents may be all of a collection.
func (rd *Reader) holdAgainstCount(ctx context.Context, coll *catalog.Collection, read int64) error {
	after := catalog.Estimate(ctx, rd.Conn, coll)
	if coll.Filter == nil && read >= after || coll.Before >= 0 && read >= coll.Before {
		return nil
	}
	first, err := rd.countAll(ctx, coll)
	if err != nil && ctx.Err() == nil {
		rd.Warn(fmt.Sprintf("%s: %d documents were read, and the server says that it has %d, which may be since then; it does not count them: %v", shown.Name(coll.Namespace()), read, after, err))
		return nil
	}
	if err != nil {
		return err
	}
	if read >= first {
		return nil
	}
	short := fmt.Errorf("%d documents were read of %d: the server ended its answer too early", read, first)
	if rd.readConcern(coll) != nil {
		return short
	}
	second, err := rd.countAll(ctx, coll)
	switch {
	case err != nil:
		return fmt.Errorf("%d documents were read, the server has %d; count them again: %w", read, first, err)
	case first == second && coll.Before == first && (after == first || coll.Filter != nil) && !rd.byKey(coll):
		return short
	case read < second:
		rd.Warn(fmt.Sprintf("%s: %d documents were read, and the server counts %d after that, %d then: others write to it, or the dump is short of some", shown.Name(coll.Namespace()), read, first, second))
	}
	return nil
}

// byKey tells whether a collection is read in the order of its documents' keys. What is inserted
// meanwhile may then come before what is read next, and never be seen; if as much is deleted, the
// count stays. In the order of insertion all that is there at the end has been passed.
func (rd *Reader) byKey(coll *catalog.Collection) bool {
	return rd.ByID || coll.Type == "timeseries" || document.Has(coll.Options, "clusteredIndex")
}

package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// errRolledOver says that what happened during the dump is not to be had any more.
var errRolledOver = errors.New("the oplog was overwritten during the dump: it is too small for what is written meanwhile")

// oplogStart returns where the oplog has to be recorded from: the present, or the
// beginning of the oldest transaction that is under way. The present is asked for
// first, so that a transaction which begins in between is behind it.
func oplogStart(ctx context.Context, c *conn) (bson.Timestamp, error) {
	if _, err := oplogEdge(ctx, c, 1); err != nil {
		return bson.Timestamp{}, err // better now than at the end
	}
	start, err := committed(ctx, c)
	if err != nil {
		return bson.Timestamp{}, err
	}
	err = c.each(ctx, "config", bson.D{
		{Key: "find", Value: "transactions"},
		{Key: "filter", Value: bson.D{{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{"prepared", "inProgress"}}}}}},
		{Key: "readConcern", Value: bson.D{{Key: "level", Value: "local"}}},
	}, func(doc bson.Raw) error {
		t, i, ok := doc.Lookup("startOpTime", "ts").TimestampOK()
		if !ok {
			return errors.New("a transaction under way has no startOpTime")
		}
		if begun := (bson.Timestamp{T: t, I: i}); begun.Before(start) {
			start = begun
		}
		return nil
	})
	if err != nil {
		return bson.Timestamp{}, fmt.Errorf("look for transactions under way: %w", err)
	}
	return start, noResharding(ctx, c)
}

// committed returns the newest time up to which a majority has all that was
// written, and this member too. The newest entry of its oplog may be ahead of
// that: others with earlier times become visible after it, on a primary because
// they are written side by side, on a secondary because the oplog is written
// before the collections are.
func committed(ctx context.Context, c *conn) (bson.Timestamp, error) {
	var hello struct {
		LastWrite struct {
			MajorityOpTime struct {
				TS bson.Timestamp `bson:"ts"`
			} `bson:"majorityOpTime"`
		} `bson:"lastWrite"`
	}
	if err := c.run(ctx, "admin", bson.D{{Key: "hello", Value: 1}}, &hello); err != nil {
		return bson.Timestamp{}, err
	}
	at := hello.LastWrite.MajorityOpTime.TS
	if at.IsZero() {
		return bson.Timestamp{}, errors.New("the replica set has nothing yet that a majority of its members has")
	}
	return at, nil
}

// oplogEdge returns the time of the oplog's oldest entry (1) or of its newest (-1).
func oplogEdge(ctx context.Context, c *conn, direction int) (bson.Timestamp, error) {
	var edge bson.Timestamp
	found := false
	err := c.each(ctx, "local", bson.D{
		{Key: "find", Value: "oplog.rs"},
		{Key: "sort", Value: bson.D{{Key: "$natural", Value: direction}}},
		{Key: "limit", Value: 1},
		{Key: "singleBatch", Value: true},
	}, func(doc bson.Raw) error {
		edge.T, edge.I, found = doc.Lookup("ts").TimestampOK()
		return nil
	})
	if err == nil && !found {
		err = errors.New("it is empty")
	}
	if err != nil {
		return bson.Timestamp{}, fmt.Errorf("read local.oplog.rs: %w", err)
	}
	return edge, nil
}

var reshardingCollections = []string{"reshardingOperations", "localReshardingOperations.donor", "localReshardingOperations.recipient"}

// noResharding refuses a shard that is being resharded: its oplog does not tell
// what moves.
func noResharding(ctx context.Context, c *conn) error {
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	return c.each(ctx, "config", command, func(doc bson.Raw) error {
		if name, _ := doc.Lookup("name").StringValueOK(); slices.Contains(reshardingCollections, name) {
			return errors.New("a collection is being resharded")
		}
		return nil
	})
}

// newOplog is the oplog as it stands in the archive.
func newOplog() *collection {
	return &collection{Collection: archive.Collection{Name: "oplog"}, fromDB: "local", from: "oplog.rs"}
}

// copyOplog writes the oplog, from the dump's start to now. All of it must be
// there still, and nothing in it that could not be played on what was read.
func (d *dumping) copyOplog(ctx context.Context, out *archive.Writer, oplog *collection, all []*collection) error {
	end, err := oplogEdge(ctx, d.conn, -1)
	if err != nil {
		return err
	}
	oplog.filter = bson.D{{Key: "ts", Value: bson.D{{Key: "$gte", Value: d.oplog}, {Key: "$lte", Value: end}}}}
	first := true
	check := newOplogCheck(all)
	oplog.inspect = func(entry bson.Raw) error {
		if first {
			t, i, ok := entry.Lookup("ts").TimestampOK()
			if !ok || !d.oplog.Equal(bson.Timestamp{T: t, I: i}) {
				return errRolledOver
			}
			first = false
		}
		return check.entry(entry)
	}
	if err := d.copyDocuments(ctx, out, []*collection{oplog}); err != nil {
		return err
	}
	if first {
		return errRolledOver
	}
	oldest, err := oplogEdge(ctx, d.conn, 1)
	if err != nil {
		return err
	}
	if d.oplog.Before(oldest) {
		return errRolledOver
	}
	return nil
}

// An oplogCheck refuses entries after which a dump is not what it seems.
type oplogCheck struct {
	databases   map[string]bool
	collections map[string]bool
}

func newOplogCheck(all []*collection) *oplogCheck {
	c := &oplogCheck{map[string]bool{}, map[string]bool{}}
	for _, coll := range all {
		c.databases[coll.DB] = true
		c.collections[coll.Namespace()] = true
	}
	return c
}

func (c *oplogCheck) entry(entry bson.Raw) error {
	ns, _ := entry.Lookup("ns").StringValueOK()
	if ns == "admin.system.version" {
		return errors.New("the server's compatibility version was changed during the dump")
	}
	op, _ := entry.Lookup("op").StringValueOK()
	object, ok := entry.Lookup("o").DocumentOK()
	db, name, _ := strings.Cut(ns, ".")
	if name == viewsName {
		return c.view(op, entry, object)
	}
	if op != "c" || !ok {
		return nil
	}
	first, err := object.IndexErr(0)
	if err != nil {
		return nil
	}
	name, _ = first.Value().StringValueOK()
	switch first.Key() {
	case "renameCollection":
		to, _ := object.Lookup("to").StringValueOK()
		return fmt.Errorf("%s was renamed to %s during the dump", name, to)
	case "importCollection":
		return fmt.Errorf("%s.%s was imported during the dump", db, name)
	case "drop":
		if c.collections[db+"."+name] {
			return fmt.Errorf("%s.%s was dropped during the dump", db, name)
		}
	case "dropDatabase":
		if c.databases[db] {
			return fmt.Errorf("database %s was dropped during the dump", db)
		}
	case "create":
		if db == "config" && slices.Contains(reshardingCollections, name) {
			return errors.New("a resharding began during the dump")
		}
	case "applyOps":
		entries, _ := first.Value().ArrayOK()
		nested, _ := bson.RawArray(entries).Values()
		for _, v := range nested {
			if inner, ok := v.DocumentOK(); ok {
				if err := c.entry(inner); err != nil {
					return err
				}
			}
		}
	default:
		if db != "config" && !strings.HasPrefix(db, internalPrefix) && !replayable(first.Key()) {
			return fmt.Errorf("what was done to %s during the dump cannot be repeated: %s", db, first.Key())
		}
	}
	return nil
}

// view refuses what cannot be told from a view's entry alone.
func (c *oplogCheck) view(op string, entry, object bson.Raw) error {
	id, _ := object.Lookup("_id").StringValueOK()
	on, _ := object.Lookup("viewOn").StringValueOK()
	switch {
	case op == "i" && strings.HasPrefix(on, archive.BucketsPrefix):
		return fmt.Errorf("the time series %s was made during the dump", id)
	case op == "u":
		id, _ = entry.Lookup("o2", "_id").StringValueOK()
		return fmt.Errorf("the view %s was changed during the dump", id)
	case op == "d" && c.collections[id]:
		return fmt.Errorf("%s was dropped during the dump", id)
	}
	return nil
}

package oplog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// ErrRolledOver says that what happened during the dump is not to be had any more.
var ErrRolledOver = errors.New("the oplog was overwritten during the dump: it is too small for what is written meanwhile")

// Start returns the entry that the oplog has to be recorded from: the present, or the beginning of
// the oldest transaction that is under way. The present is asked for first, so that a transaction
// which begins in between is behind it.
func Start(ctx context.Context, c *server.Conn) (bson.Timestamp, error) {
	oldest, err := Oldest(ctx, c)
	if err != nil {
		return bson.Timestamp{}, err // better now than at the end
	}
	start, err := committed(ctx, c)
	if err != nil {
		return bson.Timestamp{}, err
	}
	if start, err = entryAt(ctx, c, oldest, start); err != nil {
		return bson.Timestamp{}, err
	}
	err = c.Each(ctx, "config", bson.D{
		{Key: "find", Value: "transactions"},
		{Key: "filter", Value: bson.D{{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{"prepared", "inProgress"}}}}}},
		{Key: "readConcern", Value: bson.D{{Key: "level", Value: "local"}}},
	}, func(doc bson.Raw) error {
		t, i, ok := doc.Lookup("startOpTime", "ts").TimestampOK()
		if !ok {
			return errors.New("a transaction under way has no startOpTime")
		}
		begun := bson.Timestamp{T: t, I: i}
		if begun.Before(oldest) {
			return errors.New("one began before the oldest entry of the oplog, which is too small for it")
		}
		if begun.Before(start) {
			start = begun
		}
		return nil
	})
	if err != nil {
		return bson.Timestamp{}, fmt.Errorf("look for transactions under way: %w", err)
	}
	return start, noResharding(ctx, c)
}

// entryAt returns the time of the newest entry up to a time, and where there is none that of the
// oldest. What a majority has need not be an entry of this member's: one that has been made a copy
// of another begins with what came after the copy, and what was before is in its collections.
func entryAt(ctx context.Context, c *server.Conn, oldest, at bson.Timestamp) (bson.Timestamp, error) {
	entry := oldest
	err := c.Each(ctx, "local", bson.D{
		{Key: "find", Value: "oplog.rs"},
		{Key: "filter", Value: Between(oldest, at)},
		{Key: "sort", Value: bson.D{{Key: "$natural", Value: -1}}},
		{Key: "limit", Value: 1},
		{Key: "singleBatch", Value: true},
	}, func(doc bson.Raw) error {
		entry.T, entry.I, _ = doc.Lookup("ts").TimestampOK()
		return nil
	})
	if err != nil {
		return bson.Timestamp{}, fmt.Errorf("read local.oplog.rs: %w", err)
	}
	return entry, nil
}

// Between selects the entries from one time to another.
func Between(from, to bson.Timestamp) bson.D {
	return bson.D{{Key: "ts", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: to}}}}
}

// committed returns the newest time up to which a majority has all that was written, and this
// member too. The newest entry of its oplog may be ahead of that: others with earlier times become
// visible after it, on a primary because they are written side by side, on a secondary because the
// oplog is written before the collections are.
func committed(ctx context.Context, c *server.Conn) (bson.Timestamp, error) {
	var hello struct {
		LastWrite struct {
			MajorityOpTime struct {
				TS bson.Timestamp `bson:"ts"`
			} `bson:"majorityOpTime"`
		} `bson:"lastWrite"`
	}
	if err := c.Run(ctx, "admin", bson.D{{Key: "hello", Value: 1}}, &hello); err != nil {
		return bson.Timestamp{}, err
	}
	at := hello.LastWrite.MajorityOpTime.TS
	if at.IsZero() {
		return bson.Timestamp{}, errors.New("the replica set has nothing yet that a majority of its members has")
	}
	return at, nil
}

// Oldest returns the time of the oplog's oldest entry.
func Oldest(ctx context.Context, c *server.Conn) (bson.Timestamp, error) { return edge(ctx, c, 1) }

// Newest returns the time of the oplog's newest entry.
func Newest(ctx context.Context, c *server.Conn) (bson.Timestamp, error) {
	return edge(ctx, c, -1)
}

// edge returns the time of the entry that comes first in a direction.
func edge(ctx context.Context, c *server.Conn, direction int) (bson.Timestamp, error) {
	var edge bson.Timestamp
	found := false
	err := c.Each(ctx, "local", bson.D{
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

// UntilVisible waits until a reader that goes forward sees the entry of a time. On a secondary,
// going backward, it is seen as soon as it is written; forward only once all before it are.
func UntilVisible(ctx context.Context, c *server.Conn, at bson.Timestamp) error {
	const patience, pause = time.Minute, 50 * time.Millisecond
	for deadline := time.Now().Add(patience); ; {
		found := false
		err := c.Each(ctx, "local", bson.D{
			{Key: "find", Value: "oplog.rs"},
			{Key: "filter", Value: Between(at, at)},
			{Key: "limit", Value: 1},
			{Key: "singleBatch", Value: true},
		}, func(bson.Raw) error {
			found = true
			return nil
		})
		switch {
		case err != nil:
			return fmt.Errorf("read local.oplog.rs: %w", err)
		case found:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("read local.oplog.rs: its last entry is of %d.%d, and is not to be seen from its beginning for %s", at.T, at.I, patience)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

var reshardingCollections = []string{"reshardingOperations", "localReshardingOperations.donor", "localReshardingOperations.recipient"}

// noResharding refuses a shard that is being resharded: its oplog does not tell what moves.
func noResharding(ctx context.Context, c *server.Conn) error {
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	return c.Each(ctx, "config", command, func(doc bson.Raw) error {
		if name, _ := doc.Lookup("name").StringValueOK(); slices.Contains(reshardingCollections, name) {
			return errors.New("a collection is being resharded")
		}
		return nil
	})
}

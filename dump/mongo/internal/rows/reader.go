// Package rows is how documents leave: collections are read ahead, several at once, and written one
// after the other, in the bytes that the server sent; and what was read of each is held against
// what the server counts. Which collections there are it is told.
package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A Reader reads the documents of collections.
type Reader struct {
	Conn    *server.Conn
	ByID    bool           // documents leave in the order of _id
	At      bson.Timestamp // as of which they are read; zero: as they are then
	Jobs    int            // collections that are read at once
	Refresh time.Duration  // how often a session is renewed
	Warn    func(string)
}

// Copy writes the documents of the collections, one collection after the other. Up to jobs of them
// are read at once.
//
// Why this ends: readings begin in the order in which they are written, and each has room of its
// own. The one that the writer waits for has begun, or all that have are before it: these are
// written, so they end, and it begins next. It waits for nothing but the server, its own room,
// which the writer empties, and its turn, which has come. What is listed first and written last has
// a session that is kept alive, and no connection while it waits.
func (rd *Reader) Copy(ctx context.Context, out *archive.Writer, all []*catalog.Collection) error {
	readings := make([]*reading, len(all))
	for i, c := range all {
		readings[i] = newReading(c)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rd.Jobs + 1)
	group.Go(func() error {
		for _, r := range readings {
			if err := r.write(ctx, out); err != nil {
				return err
			}
		}
		return nil
	})
	for _, r := range readings {
		group.Go(func() error { // waits for one before it to be done
			if err := rd.read(ctx, r); err != nil {
				return fmt.Errorf("read %s: %w", shown.Name(r.Namespace()), rd.inThePast(err))
			}
			close(r.chunks)
			return nil
		})
	}
	return group.Wait()
}

// read reads the collection's documents into its chunks.
func (rd *Reader) read(ctx context.Context, r *reading) error {
	if r.IsView() {
		return nil
	}
	ctx, end, err := rd.Conn.InSession(ctx, rd.Refresh)
	if err != nil {
		return err
	}
	defer end()
	counts := r.Inspect == nil // the oplog's end is known otherwise
	if counts && r.Filter != nil {
		if r.Before, err = rd.countAll(ctx, r.Collection); err != nil {
			return fmt.Errorf("count: %w", err)
		}
	}
	db, command := rd.find(r.Collection)
	cur, err := rd.Conn.Cursor(ctx, db, command)
	if err != nil {
		return err
	}
	defer cur.End(ctx)
	var documents, bytes int64
	var last bson.Raw // in the order of _id, of which the second of two may be the same
	for cur.Next(ctx) {
		doc := cur.Current
		if rd.inOrderOfID(r.Collection) {
			if document.Equal(doc, last) && document.Has(doc, "_id") { // without one, two that are equal are two
				continue
			}
			last = doc // as it is: the driver does not use an answer's memory again
		}
		if r.Inspect != nil {
			if err := r.Inspect(doc); err != nil {
				return err
			}
		}
		if err := r.add(ctx, doc); err != nil {
			return err
		}
		documents++
		bytes += int64(len(doc))
		if cur.RemainingBatchLength() == 0 {
			cur.SetBatchSize(int32(max(1, batchBytes/(bytes/documents))))
		}
	}
	if cur.Err() != nil {
		return cur.Err()
	}
	if counts {
		if err := rd.holdAgainstCount(ctx, r.Collection, documents); err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

// inOrderOfID tells whether a collection is read in the order of _id.
func (rd *Reader) inOrderOfID(c *catalog.Collection) bool {
	return rd.ByID && !c.IsCapped() && c.Type == "collection"
}

// find is the command that reads a collection, and the database it is for.
func (rd *Reader) find(c *catalog.Collection) (db string, command bson.D) {
	db, name := c.Source(rd.Conn.Info.Version)
	command = bson.D{{Key: "find", Value: name}}
	if c.Filter != nil {
		command = append(command, bson.E{Key: "filter", Value: c.Filter})
	}
	if rd.inOrderOfID(c) {
		command = append(command, bson.E{Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}})
	}
	if rc := rd.readConcern(c); rc != nil {
		command = append(command, bson.E{Key: "readConcern", Value: rc})
	}
	command = rd.Conn.RawData(command, c.Type)
	if rd.Conn.Info.Mongod && !rd.Conn.Info.Proxy { // others do not know it, or refuse it
		command = append(command, bson.E{Key: "noCursorTimeout", Value: true})
	}
	return db, command
}

// readConcern is what a command says of the time as of which documents are read; nil: nothing.
func (rd *Reader) readConcern(c *catalog.Collection) bson.D {
	if rd.At.IsZero() || !c.KnowsPast() {
		return nil
	}
	return bson.D{{Key: "level", Value: "snapshot"}, {Key: "atClusterTime", Value: rd.At}}
}

// ErrTooOld is returned when a dump took longer than the server can look back.
var ErrTooOld = errors.New("the dump took longer than the server keeps its past (minSnapshotHistoryWindowInSeconds)")

// inThePast makes of an error what it is where documents are read as of a time.
func (rd *Reader) inThePast(err error) error {
	if !rd.At.IsZero() && (server.HasCode(err, server.CodeSnapshotTooOld) || server.HasCode(err, server.CodeSnapshotUnavailable)) {
		return fmt.Errorf("%w: %w", ErrTooOld, err)
	}
	return err
}

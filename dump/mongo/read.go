package mongo

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

const (
	// A chunk is what passes from a reader to the writer: whole documents, one
	// behind the other.
	chunkSize = 512 << 10
	// aheadBytes is how much of a collection may have been read and not be
	// written yet, besides the answer of the server that is being taken apart.
	aheadBytes = 4 << 20
	// batchBytes is what one answer of the server is to have, more or less. The
	// server's own bound is 16 MiB, and the driver holds an answer as a whole.
	batchBytes = 4 << 20
)

// A reader reads the documents of collections.
type reader struct {
	conn    *server.Conn
	byID    bool           // documents leave in the order of _id
	at      bson.Timestamp // as of which they are read; zero: as they are then
	jobs    int            // collections that are read at once
	refresh time.Duration  // how often a session is renewed
	warn    func(string)
}

// A reading is a collection that is read ahead of its turn to be written.
type reading struct {
	*catalog.Collection
	ahead  *semaphore.Weighted // the bytes of the chunks
	chunks chan []byte         // closed after the last one, if nothing failed
	free   chan []byte         // chunks that were written, to be filled again
	turn   chan struct{}       // closed when it is the collection's turn to be written
}

func newReading(c *catalog.Collection) *reading {
	return &reading{
		Collection: c, ahead: semaphore.NewWeighted(aheadBytes),
		chunks: make(chan []byte, aheadBytes/chunkSize), free: make(chan []byte, aheadBytes/chunkSize),
		turn: make(chan struct{}),
	}
}

// copy writes the documents of the collections, one collection after
// the other. Up to jobs of them are read at once.
//
// Why this ends: readings begin in the order in which they are written, and each
// has room of its own. The one that the writer waits for has begun, or all that
// have are before it: these are written, so they end, and it begins next. It waits
// for nothing but the server, its own room, which the writer empties, and its turn,
// which has come. What is listed first and written last has a session that is kept
// alive, and no connection while it waits.
func (d *reader) copy(ctx context.Context, out *archive.Writer, all []*catalog.Collection) error {
	readings := make([]*reading, len(all))
	for i, c := range all {
		readings[i] = newReading(c)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.jobs + 1)
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
			if err := d.read(ctx, r); err != nil {
				return fmt.Errorf("read %s: %w", shown.Name(r.Namespace()), d.inThePast(err))
			}
			close(r.chunks)
			return nil
		})
	}
	return group.Wait()
}

// write writes the collection as its documents arrive.
func (r *reading) write(ctx context.Context, out *archive.Writer) error {
	if err := out.Begin(&r.Collection.Collection); err != nil {
		return err
	}
	close(r.turn)
	for {
		select {
		case chunk, more := <-r.chunks:
			if !more {
				return out.End()
			}
			if _, err := out.Write(chunk); err != nil {
				return err
			}
			r.written(chunk)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read reads the collection's documents into its chunks.
func (d *reader) read(ctx context.Context, r *reading) error {
	if r.IsView() {
		return nil
	}
	ctx, end, err := d.conn.InSession(ctx, d.refresh)
	if err != nil {
		return err
	}
	defer end()
	counts := r.Inspect == nil // the oplog's end is known otherwise
	if counts && r.Filter != nil {
		if r.Before, err = d.countAll(ctx, r.Collection); err != nil {
			return fmt.Errorf("count: %w", err)
		}
	}
	db, command := d.find(r.Collection)
	cur, err := d.conn.Cursor(ctx, db, command)
	if err != nil {
		return err
	}
	defer cur.End(ctx)
	chunk := r.newChunk()
	var documents, bytes int64
	var last bson.Raw // in the order of _id, of which the second of two may be the same
	for cur.Next(ctx) {
		doc := cur.Current
		if d.inOrderOfID(r.Collection) {
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
		if len(chunk)+len(doc) > chunkSize && len(chunk) > 0 {
			if err := r.send(ctx, chunk); err != nil {
				return err
			}
			chunk = r.newChunk()
		}
		if len(doc) >= chunkSize { // as it is: the driver does not use an answer's memory again
			if err := r.send(ctx, doc); err != nil {
				return err
			}
		} else {
			chunk = append(chunk, doc...)
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
		if err := d.holdAgainstCount(ctx, r.Collection, documents); err != nil {
			return err
		}
	}
	if len(chunk) == 0 {
		return nil
	}
	return r.send(ctx, chunk)
}

func (r *reading) newChunk() []byte {
	select {
	case chunk := <-r.free:
		return chunk
	default:
		return make([]byte, 0, chunkSize)
	}
}

// send hands a chunk to the writer. A document of many megabytes is not read ahead: it waits for its collection's turn,
// and the next one is read while it is written, so that there are two of the one collection and one of each other.
func (r *reading) send(ctx context.Context, chunk []byte) error {
	if len(chunk) > batchBytes {
		select {
		case <-r.turn:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := r.ahead.Acquire(ctx, chunkWeight(chunk)); err != nil {
		return context.Cause(ctx)
	}
	select {
	case r.chunks <- chunk:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// written takes a chunk back.
func (r *reading) written(chunk []byte) {
	defer r.ahead.Release(chunkWeight(chunk))
	switch {
	case cap(chunk) == chunkSize:
		select {
		case r.free <- chunk[:0]:
		default:
		}
	case len(chunk) > batchBytes:
		debug.FreeOSMemory() // a few of such a size that nobody needs any more are all the memory there may be
	}
}

// chunkWeight is what a chunk takes of aheadBytes: all of it if it is larger.
func chunkWeight(chunk []byte) int64 { return min(int64(len(chunk)), aheadBytes) }

// inOrderOfID tells whether a collection is read in the order of _id.
func (d *reader) inOrderOfID(c *catalog.Collection) bool {
	return d.byID && !c.IsCapped() && c.Type == "collection"
}

// find is the command that reads a collection, and the database it is for.
func (d *reader) find(c *catalog.Collection) (db string, command bson.D) {
	db, name := c.Source(d.conn.Info.Version)
	command = bson.D{{Key: "find", Value: name}}
	if c.Filter != nil {
		command = append(command, bson.E{Key: "filter", Value: c.Filter})
	}
	if d.inOrderOfID(c) {
		command = append(command, bson.E{Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}})
	}
	if rc := d.readConcern(c); rc != nil {
		command = append(command, bson.E{Key: "readConcern", Value: rc})
	}
	command = d.conn.RawData(command, c.Type)
	if d.conn.Info.Mongod && !d.conn.Info.Proxy { // others do not know it, or refuse it
		command = append(command, bson.E{Key: "noCursorTimeout", Value: true})
	}
	return db, command
}

// readConcern is what a command says of the time as of which documents are read; nil: nothing.
func (d *reader) readConcern(c *catalog.Collection) bson.D {
	if d.at.IsZero() || !c.KnowsPast() {
		return nil
	}
	return bson.D{{Key: "level", Value: "snapshot"}, {Key: "atClusterTime", Value: d.at}}
}

// errTooOld is returned when a dump took longer than the server can look back.
var errTooOld = errors.New("the dump took longer than the server keeps its past (minSnapshotHistoryWindowInSeconds)")

// inThePast makes of an error what it is where documents are read as of a time.
func (d *reader) inThePast(err error) error {
	if !d.at.IsZero() && (server.HasCode(err, server.CodeSnapshotTooOld) || server.HasCode(err, server.CodeSnapshotUnavailable)) {
		return fmt.Errorf("%w: %w", errTooOld, err)
	}
	return err
}

package rows

import (
	"context"
	"runtime/debug"

	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/catalog"
)

const (
	// A chunk is what passes from a reader to the writer: whole documents, one behind the other.
	chunkSize = 512 << 10
	// aheadBytes is how much of a collection may have been read and not be written yet, besides the
	// answer of the server that is being taken apart.
	aheadBytes = 4 << 20
	// batchBytes is what one answer of the server is to have, more or less. The server's own bound
	// is 16 MiB, and the driver holds an answer as a whole.
	batchBytes = 4 << 20
)

// A reading is a collection that is read ahead of its turn to be written.
type reading struct {
	*catalog.Collection
	ahead  *semaphore.Weighted // the bytes of the chunks
	chunk  []byte              // which is being filled
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

// add adds a document to what was read.
func (r *reading) add(ctx context.Context, doc []byte) error {
	if len(r.chunk)+len(doc) > chunkSize {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if len(doc) >= chunkSize { // as it is: the driver does not use an answer's memory again
		return r.send(ctx, doc)
	}
	if r.chunk == nil {
		r.chunk = r.newChunk()
	}
	r.chunk = append(r.chunk, doc...)
	return nil
}

// flush hands to the writer what was added since the last chunk.
func (r *reading) flush(ctx context.Context) error {
	chunk := r.chunk
	if r.chunk = nil; len(chunk) == 0 {
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

// send hands a chunk to the writer. A document of many megabytes is not read ahead: it waits for
// its collection's turn, and the next one is read while it is written, so that there are two of the
// one collection and one of each other.
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

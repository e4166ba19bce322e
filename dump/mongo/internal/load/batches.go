package load

import (
	"context"
	"fmt"
	"runtime/debug"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

const (
	// A batch is what goes to the server at once. The server takes 100,000 documents and 48 MB; as
	// much is held in memory several times.
	batchDocuments = 10_000
	insertBytes    = 2 << 20
	// inFlight is how many bytes the server is given at once on all sessions: a document of the
	// largest size goes alone.
	inFlight = 16 << 20
	// mostSessions is how many a load has at most, with batches that are large enough still.
	mostSessions = 16
)

// A batch is some documents, one behind the other.
type batch struct {
	bytes []byte
	ends  []int
}

func (b *batch) add(doc []byte) {
	b.bytes = append(b.bytes, doc...)
	b.ends = append(b.ends, len(b.bytes))
}

// fits tells whether a document has room in a batch of so many bytes.
func (b *batch) fits(doc []byte, most int) bool {
	return len(b.ends) == 0 || len(b.ends) < batchDocuments && len(b.bytes)+len(doc) <= most
}

func (b *batch) document(i int) bson.Raw {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return bson.Raw(b.bytes[from:b.ends[i]:b.ends[i]])
}

// empty empties a batch that the server has taken, of which there are to be so many bytes at most.
func (b *batch) empty(most int) {
	if b.ends = b.ends[:0]; len(b.bytes) > most { // one large document: the driver has had copies of it
		b.bytes = nil
		debug.FreeOSMemory()
	}
	b.bytes = b.bytes[:0]
}

// sessions is on how many sessions documents go into the target. Several mix them up by batches:
// where the order means something, as the oldest of a capped collection go first, it is one.
func (s *loading) sessions(t *target) int {
	if t.kind != targetCollection || document.True(t.metadata.Options, "capped") {
		return 1
	}
	return min(s.cfg.Jobs, mostSessions)
}

// Batches pass from whoever reads a dump to the sessions that insert them, and back.
//
// Why the waiting ends: there is one batch more than there are sessions, and free has room for all.
// So no session waits to give one back. The reader waits for room in flight, for a session, and for
// a free batch: each of the three it gets from a session whose server has answered, and there is
// one at the server whenever it does not have them at once; sessions that have failed give nothing
// back, and then the reader's context has ended. A session waits for the reader, which may wait for
// the dump, which may bring nothing more: that is interrupted when a batch is refused, and the
// reader then ends, as it does when the context has ended.
type batches struct {
	full, free chan *batch
	flight     *semaphore.Weighted // bytes that the server is given
	most       int                 // bytes in a batch of several documents
}

func newBatches(sessions int) *batches {
	b := &batches{
		full: make(chan *batch), free: make(chan *batch, sessions+1),
		flight: semaphore.NewWeighted(inFlight), most: min(insertBytes, inFlight/sessions),
	}
	for range sessions + 1 {
		b.free <- &batch{}
	}
	return b
}

// insert puts the documents of an item into the target, as many batches at once as it has sessions,
// while the next is read. On one session it keeps their order.
//
// The first error of a session ends all of them. Of the batches that are under way then nobody
// knows what is inserted: they are not counted.
func (s *loading) insert(ctx context.Context, t *target, item dump.Item) error {
	group, ctx := errgroup.WithContext(ctx)
	sessions := s.sessions(t)
	pass := newBatches(sessions)
	for range sessions {
		group.Go(func() error {
			for b := range pass.full {
				weight := flightOf(b)
				if err := s.insertBatch(ctx, t, b, sessions == 1); err != nil {
					err = fmt.Errorf("%s: %w", shown.Name(t.namespace()), err)
					if ctx.Err() == nil { // else what has ended the others has ended this one too, and is the error
						s.fail(err)
					}
					return err
				}
				t.add(&t.bytes, len(b.bytes))
				b.empty(pass.most)
				pass.flight.Release(weight)
				pass.free <- b
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(pass.full)
		return pass.read(ctx, t, item)
	})
	return group.Wait()
}

// read fills batches with an item's documents.
func (b *batches) read(ctx context.Context, t *target, item dump.Item) error {
	filling := <-b.free
	for doc, err := range item.Rows() {
		if err != nil {
			return err
		}
		doc = t.identified(doc)
		if !filling.fits(doc, b.most) {
			if err := b.send(ctx, filling); err != nil {
				return err
			}
			select {
			case filling = <-b.free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		filling.add(doc)
	}
	if len(filling.ends) == 0 {
		return nil
	}
	return b.send(ctx, filling)
}

// send gives a batch to a session, when there is room for it in flight.
func (b *batches) send(ctx context.Context, filled *batch) error {
	if err := b.flight.Acquire(ctx, flightOf(filled)); err != nil {
		return context.Cause(ctx)
	}
	select {
	case b.full <- filled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// flightOf is what a batch takes of the bytes in flight.
func flightOf(b *batch) int64 { return int64(min(len(b.bytes), inFlight)) }

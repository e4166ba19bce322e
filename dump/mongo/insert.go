package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"
)

const (
	// A batch is what goes to the server at once. The server takes 100,000
	// documents and 48 MB; as much is held in memory several times.
	batchDocuments = 10_000
	insertBytes    = 4 << 20
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

func (b *batch) fits(doc []byte) bool {
	return len(b.ends) == 0 || len(b.ends) < batchDocuments && len(b.bytes)+len(doc) <= insertBytes
}

func (b *batch) document(i int) bson.Raw {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return bson.Raw(b.bytes[from:b.ends[i]:b.ends[i]])
}

// insert puts the block's documents into the target, in their order: the next
// batch is read while the server takes the one before.
func (s *loading) insert(ctx context.Context, t *target) error {
	group, ctx := errgroup.WithContext(ctx)
	batches, free := make(chan *batch), make(chan *batch, 2)
	group.Go(func() error {
		for b := range batches {
			if err := s.insertBatch(ctx, t, b); err != nil {
				return fmt.Errorf("%s: %w", t.namespace(), err)
			}
			if b.ends = b.ends[:0]; len(b.bytes) > insertBytes { // one large document: the driver has had copies of it
				b.bytes = nil
				debug.FreeOSMemory()
			}
			b.bytes = b.bytes[:0]
			free <- b
		}
		return nil
	})
	group.Go(func() error {
		defer close(batches)
		return s.readBatches(ctx, batches, free)
	})
	return group.Wait()
}

// readBatches reads the block. Two batches are in use: one to fill, one that the
// server is given.
func (s *loading) readBatches(ctx context.Context, batches chan<- *batch, free chan *batch) error {
	free <- &batch{}
	b := &batch{}
	pass := func() error {
		select {
		case batches <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		select {
		case b = <-free:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for {
		doc, err := s.archive.Document()
		if err == io.EOF {
			if len(b.ends) == 0 {
				return nil
			}
			return pass()
		}
		if err != nil {
			return err
		}
		if !b.fits(doc) {
			if err := pass(); err != nil {
				return err
			}
		}
		b.add(doc)
	}
}

// insertBatch inserts one batch and stops at the first document that is refused.
// What a validator would refuse was in the original all the same.
func (s *loading) insertBatch(ctx context.Context, t *target, b *batch) error {
	docs := make([]any, len(b.ends))
	for i := range docs {
		docs[i] = b.document(i)
	}
	opts := options.InsertMany().SetOrdered(true)
	if s.conn.server.mongod && t.kind != targetTimeSeries {
		opts.SetBypassDocumentValidation(true)
	}
	coll := s.conn.client.Database(t.db).Collection(t.dataName())
	for allowed := false; ; allowed = true {
		_, err := coll.InsertMany(ctx, docs, opts)
		var refused mongo.BulkWriteException
		if !errors.As(err, &refused) || len(refused.WriteErrors) == 0 {
			if err != nil {
				return fmt.Errorf("insert: %w", err)
			}
			t.inserted += int64(len(docs))
			return nil
		}
		first := refused.WriteErrors[0]
		t.inserted += int64(first.Index)
		docs = docs[first.Index:]
		if first.Code != codeMixedSchema || allowed {
			id := docs[0].(bson.Raw).Lookup("_id").String()
			return fmt.Errorf("insert the document with _id %s: %w", shortened(id), first)
		}
		if err := s.allowMixedSchema(ctx, t); err != nil {
			return err
		}
	}
}

// shortened cuts a text to what has room in an error.
func shortened(text string) string {
	const most = 120
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}

// codeMixedSchema is CannotInsertTimeseriesBucketsWithMixedSchema.
const codeMixedSchema = 408

func hasCode(err error, code int) bool {
	var s mongo.ServerError
	return errors.As(err, &s) && s.HasErrorCode(code)
}

// allowMixedSchema lets a time series have buckets in which a field has values
// of several types, as one that was made by an older server may.
func (s *loading) allowMixedSchema(ctx context.Context, t *target) error {
	command := bson.D{{Key: "collMod", Value: t.name}, {Key: "timeseriesBucketsMayHaveMixedSchemaData", Value: true}}
	if err := s.conn.run(ctx, t.db, command, &bson.Raw{}); err != nil {
		return fmt.Errorf("allow buckets of mixed schema: %w", err)
	}
	return nil
}

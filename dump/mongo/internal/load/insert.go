package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/xoptions"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// insertBatch inserts one batch. ordered says that it is the only one under way: it goes in its
// order, up to a document that is refused, and after one whose _id is there already all that can
// be, at once. A server takes these in their order too, and sending what is left after each would
// be quadratic. Of several batches at once all of each goes at once.
func (s *loading) insertBatch(ctx context.Context, t *target, b *batch, ordered bool) error {
	docs := make([]any, len(b.ends))
	for i := range docs {
		docs[i] = b.document(i)
	}
	return s.insertDocuments(ctx, t, docs, ordered)
}

// insertDocuments inserts documents, those of a batch or a part of them.
func (s *loading) insertDocuments(ctx context.Context, t *target, docs []any, ordered bool) error {
	coll := s.conn.Collection(t.db, t.dataName(s.conn.Info.Version))
	for allowed := false; len(docs) > 0; {
		refused, err := s.send(ctx, t, coll, docs, ordered)
		if err = s.conn.Unacknowledged(err); s.goesOn() && isRefusal(ctx, err) && !server.IsInterrupted(err) {
			return s.insertParts(ctx, t, docs, ordered, err)
		}
		if err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		o, err := s.outcomeOf(t, docs, refused, ordered, allowed)
		if err != nil {
			return err
		}
		t.add(&t.inserted, len(o.inserted))
		if err := s.keepEmptyTimestamps(ctx, t, coll, o.inserted); err != nil {
			return err
		}
		if o.mixed {
			if err := s.allowMixedSchema(ctx, t); err != nil && !(s.goesOn() && isRefusal(ctx, err)) {
				return err
			}
			allowed = true
		}
		if err := s.second(ctx, t, o.second); err != nil {
			return fmt.Errorf("look for the documents that have the _id of others: %w", err)
		}
		docs, ordered = o.again, ordered && o.mixed
	}
	return nil
}

// insertParts inserts documents of which the server has refused all together, and does not say
// which of them it is about: each half by itself, and so on. Those that it refuses alone are left
// out, and all at once where it is not about documents.
func (s *loading) insertParts(ctx context.Context, t *target, docs []any, ordered bool, refused error) error {
	about, _ := errors.AsType[mongo.ServerError](refused)
	if len(docs) == 1 || slices.ContainsFunc(ofCollections, about.HasErrorCode) {
		for _, doc := range docs {
			s.leaveOut(t, doc.(bson.Raw), refusedBy(refused))
		}
		return nil
	}
	half := len(docs) / 2
	if err := s.insertDocuments(ctx, t, docs[:half], ordered); err != nil {
		return err
	}
	return s.insertDocuments(ctx, t, docs[half:], ordered)
}

// ofCollections are the codes by which a server refuses whatever is inserted into a collection.
var ofCollections = []int{
	server.CodeUnauthorized,
	166,   // CommandNotSupportedOnView
	8000,  // AtlasError, as of a quota
	14031, // OutOfDiskSpace
}

// An outcome is what became of documents that were sent.
type outcome struct {
	inserted []any
	again    []any      // to be sent again
	second   []bson.Raw // refused, as there is one with its _id
	mixed    bool       // the server is to be told first to take them
}

// outcomeOf says what became of documents of which the server refuses some. An error is that of a
// document without which there is no going on.
func (s *loading) outcomeOf(t *target, docs []any, refused []mongo.WriteError, ordered, allowed bool) (o outcome, err error) {
	next := 0 // of the documents
	for _, why := range refused {
		doc := docs[why.Index].(bson.Raw)
		o.inserted = append(o.inserted, docs[next:why.Index]...)
		next = why.Index + 1
		switch {
		case why.Code == server.CodeMixedSchema && !allowed:
			o.mixed, o.again = true, append(o.again, doc)
		case isSecondID(&why) && (t.kind != targetAuth || s.replays):
			o.second = append(o.second, doc)
		case why.HasErrorCode(server.CodeDuplicateKey) && t.kind != targetAuth:
			s.leaveOut(t, doc, byIndex(why.Raw.Lookup("keyPattern")))
		case s.goesOn() && !server.IsElection(why): // after which it may be there, or come
			s.leaveOut(t, doc, refusedBy(why))
		default:
			return o, fmt.Errorf("insert the document with _id %s: %w", shown.Short(doc.Lookup("_id").String()), why)
		}
		if ordered {
			o.again = append(o.again, docs[next:]...)
			return o, nil
		}
	}
	o.inserted = append(o.inserted, docs[next:]...)
	return o, nil
}

// send sends documents in their order. It returns those that are refused, in that order: of an
// ordered insert, which ends there, the first, else all.
//
// The driver decodes and copies each document that it inserts, which takes longer than all else
// that a load does on this side, and it repeats what an election has interrupted. Where there is
// none the documents go out by a command as they are.
func (s *loading) send(ctx context.Context, t *target, coll *mongo.Collection, docs []any, ordered bool) (refused []mongo.WriteError, err error) {
	if !s.conn.MayElect() && size(docs) <= server.MostInserted {
		refused, err = s.conn.Insert(ctx, coll, docs, append(s.insertFields(t), bson.E{Key: "ordered", Value: ordered}))
	} else if opts, wrong := s.insertOptions(t); wrong != nil {
		return nil, wrong
	} else {
		refused, err = insertMany(ctx, coll, docs, opts.SetOrdered(ordered))
	}
	slices.SortFunc(refused, func(a, b mongo.WriteError) int { return cmp.Compare(a.Index, b.Index) })
	for i, e := range refused {
		if e.Index < 0 || e.Index >= len(docs) || i > 0 && e.Index == refused[i-1].Index {
			return nil, fmt.Errorf("the server refuses document %d of %d: %w", e.Index, len(docs), e)
		}
	}
	return refused, err
}

func size(docs []any) (n int) {
	for _, doc := range docs {
		n += len(doc.(bson.Raw))
	}
	return n
}

// insertFields have the server take documents as they are: with what a validator would refuse, as
// that was in the original all the same, and with empty timestamps, in whose place it puts the
// present otherwise.
func (s *loading) insertFields(t *target) bson.D {
	info := s.conn.Info
	fields := bson.D{s.conn.WriteConcern()}
	if info.Mongod && t.isValidated() { // it takes a right
		fields = append(fields, bson.E{Key: "bypassDocumentValidation", Value: true})
	}
	if info.TakesEmptyTimestamps() {
		fields = append(fields, bson.E{Key: "bypassEmptyTsReplacement", Value: true})
	}
	if t.kind == targetTimeSeries && info.Version.RawData() {
		fields = append(fields, bson.E{Key: "rawData", Value: true})
	}
	return fields
}

// insertOptions are the same fields, as the driver takes them.
func (s *loading) insertOptions(t *target) (*options.InsertManyOptionsBuilder, error) {
	opts := options.InsertMany()
	fields := slices.DeleteFunc(s.insertFields(t), func(e bson.E) bool {
		if e.Key == "bypassDocumentValidation" {
			opts.SetBypassDocumentValidation(true)
		}
		return e.Key == "bypassDocumentValidation"
	})
	return opts, xoptions.SetInternalInsertManyOptions(opts, "addCommandFields", fields)
}

// insertMany inserts documents by the driver.
func insertMany(ctx context.Context, coll *mongo.Collection, docs []any, opts *options.InsertManyOptionsBuilder) (refused []mongo.WriteError, err error) {
	_, err = coll.InsertMany(ctx, docs, opts)
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || len(bulk.WriteErrors) == 0 || bulk.WriteConcernError != nil {
		return nil, err
	}
	for _, e := range bulk.WriteErrors {
		refused = append(refused, e.WriteError)
	}
	return refused, nil
}

// allowMixedSchema lets a time series have buckets in which a field has values of several types, as
// one that was made by an older server may.
func (s *loading) allowMixedSchema(ctx context.Context, t *target) error {
	command := bson.D{{Key: "collMod", Value: t.name}, {Key: "timeseriesBucketsMayHaveMixedSchemaData", Value: true}}
	if err := s.run(ctx, t.db, command, &bson.Raw{}); err != nil {
		return fmt.Errorf("allow buckets of mixed schema: %w", err)
	}
	return nil
}

package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// A cursor is the driver's, which takes a server's answers to be of their form: it
// panics where one has no first batch, and what it passes on need be no document.
type cursor struct {
	*mongo.Cursor
	err error
}

// cursor runs a command that answers with a cursor.
func (c *conn) cursor(ctx context.Context, db string, command bson.D) (*cursor, error) {
	cur, err := c.client.Database(db).RunCommandCursor(ctx, c.ownSettings(command), options.RunCmd().SetReadPreference(c.read))
	if err != nil {
		return nil, withTimeLimit(err)
	}
	return &cursor{Cursor: cur}, nil
}

// mostEmpty is how many answers may hold nothing, one after the other. A server
// waits until it has something, or has reached the end; one that goes on so would
// have its client ask for ever.
const mostEmpty = 1000

// next goes on to the next document, which is in Current.
func (c *cursor) next(ctx context.Context) (more bool) {
	defer func() {
		if wrong := recover(); wrong != nil {
			more, c.err = false, fmt.Errorf("the server's answer has not its form: %v", wrong)
		}
	}()
	for empty := 0; !c.TryNext(ctx); empty++ {
		if c.err = withTimeLimit(c.Err()); c.err != nil || c.ID() == 0 {
			return false
		}
		if ctx.Err() != nil {
			c.err = context.Cause(ctx)
			return false
		}
		if empty == mostEmpty {
			c.err = fmt.Errorf("the server answered %d times with nothing, and that there is more", mostEmpty)
			return false
		}
	}
	if n, ok := length(c.Current); !ok || n != len(c.Current) {
		c.err = errors.New("the server's answer has not its form: what it holds is no document")
		return false
	}
	return true
}

// length is that which a document says it has.
func length(doc bson.Raw) (int, bool) {
	const least = 5
	if len(doc) < least || doc[len(doc)-1] != 0 {
		return 0, false
	}
	return int(uint32(doc[0]) | uint32(doc[1])<<8 | uint32(doc[2])<<16 | uint32(doc[3])<<24), true
}

func (c *cursor) end(ctx context.Context) {
	defer func() { _ = recover() }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	_ = c.Close(ctx)
}

// mostListed is how many bytes a server may list of what it has, at once and of all
// databases: no more has room in an archive. What is shorter than leastListed counts
// as that, as it takes as much memory.
const (
	mostListed  = 128 << 20
	leastListed = 256
)

// A listing counts what a server lists, from several of its answers at once.
type listing struct{ bytes atomic.Int64 }

// add takes note of a document, and refuses the one with which it is too much: a
// server that goes on listing would have all memory.
func (l *listing) add(doc bson.Raw) error {
	if l.bytes.Add(int64(max(len(doc), leastListed))) > mostListed {
		return fmt.Errorf("the server lists more than the %d bytes that an archive can hold", mostListed)
	}
	return nil
}

// each runs a command that answers with a cursor, and passes each document on.
// What is passed is valid only for that call. It is for lists, and not for what a
// collection holds.
func (c *conn) each(ctx context.Context, db string, command bson.D, do func(bson.Raw) error) error {
	cur, err := c.cursor(ctx, db, command)
	if err != nil {
		return err
	}
	defer cur.end(ctx)
	var listed listing
	for cur.next(ctx) {
		if err := listed.add(cur.Current); err != nil {
			return err
		}
		if err := do(cur.Current); err != nil {
			return err
		}
	}
	return cur.err
}

// rawData has a command on a collection of some kind work on the buckets, where it is a time series on such servers as keep them so.
func (c *conn) rawData(command bson.D, kind string) bson.D {
	if kind == "timeseries" && c.info.version.RawData() {
		command = append(command, bson.E{Key: "rawData", Value: true})
	}
	return command
}

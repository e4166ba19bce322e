package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// A Cursor is the driver's, which takes a server's answers to be of their form: it panics where one
// has no first batch, and what it passes on need be no document.
type Cursor struct {
	*mongo.Cursor
	conn *Conn
	err  error
}

// Cursor runs a command that answers with a cursor. The caller ends it.
func (c *Conn) Cursor(ctx context.Context, db string, command bson.D) (*Cursor, error) {
	cur, err := c.client.Database(db).RunCommandCursor(ctx, c.ownSettings(command), options.RunCmd().SetReadPreference(c.read))
	if err != nil {
		return nil, c.Ended(withTimeLimit(err))
	}
	return &Cursor{Cursor: cur, conn: c}, nil
}

// mostEmpty is how many answers may hold nothing, one after the other. A server waits until it has
// something, or has reached the end; one that goes on so would have its client ask for ever.
const mostEmpty = 1000

// Next goes on to the next document, which is in Current.
func (c *Cursor) Next(ctx context.Context) (more bool) {
	defer func() {
		if wrong := recover(); wrong != nil {
			more, c.err = false, fmt.Errorf("the server's answer has not its form: %v", wrong)
		}
	}()
	for empty := 0; !c.TryNext(ctx); empty++ {
		if c.err = c.conn.Ended(withTimeLimit(c.Cursor.Err())); c.err != nil || c.ID() == 0 {
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

// Err is why Next has ended before the end; nil: it has not.
func (c *Cursor) Err() error { return c.err }

// length is that which a document says it has.
func length(doc bson.Raw) (int, bool) {
	const least = 5
	if len(doc) < least || doc[len(doc)-1] != 0 {
		return 0, false
	}
	return int(uint32(doc[0]) | uint32(doc[1])<<8 | uint32(doc[2])<<16 | uint32(doc[3])<<24), true
}

// End has the server forget the cursor, also where ctx has ended.
func (c *Cursor) End(ctx context.Context) {
	defer func() { _ = recover() }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), EndTime)
	defer cancel()
	_ = c.Close(ctx)
}

// MostListed is how many bytes a server may list of what it has, at once and of all databases: no
// more has room in an archive. What is shorter than leastListed counts as that, as it takes as much
// memory.
const (
	MostListed  = 128 << 20
	leastListed = 256
)

// A Listing counts what a server lists, from several of its answers at once.
type Listing struct{ bytes atomic.Int64 }

// Add takes note of a document, and refuses the one with which it is too much: a server that goes
// on listing would have all memory.
func (l *Listing) Add(doc bson.Raw) error {
	if l.bytes.Add(int64(max(len(doc), leastListed))) > MostListed {
		return fmt.Errorf("the server lists more than the %d bytes that an archive can hold", MostListed)
	}
	return nil
}

// Each runs a command that answers with a cursor, and passes each document on. What is passed is
// valid only for that call. It is for lists, and not for what a collection holds.
func (c *Conn) Each(ctx context.Context, db string, command bson.D, do func(bson.Raw) error) error {
	cur, err := c.Cursor(ctx, db, command)
	if err != nil {
		return err
	}
	defer cur.End(ctx)
	var listed Listing
	for cur.Next(ctx) {
		if err := listed.Add(cur.Current); err != nil {
			return err
		}
		if err := do(cur.Current); err != nil {
			return err
		}
	}
	return cur.Err()
}

// RawData has a command on a collection of some kind work on the buckets, where it is a time series
// on such servers as keep them so.
func (c *Conn) RawData(command bson.D, kind string) bson.D {
	if kind == "timeseries" && c.Info.Version.RawData() {
		command = append(command, bson.E{Key: "rawData", Value: true})
	}
	return command
}

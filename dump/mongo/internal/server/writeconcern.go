package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/breaking-backups/breaking-backups/dump"
)

// What a restore writes is to last: it is done when it has reached as many members of a replica set
// as the write concern says. The driver adds that to inserts and updates alone, and has no bound
// for the wait: so all of it is added here.

// acknowledgeTime is how long a write waits for the members that the write concern wants, at most.
// Those of a healthy set are seconds behind, and minutes one that is started anew; without a
// majority a write would wait without end. The URI's wtimeoutMS goes before it.
const acknowledgeTime = 5 * time.Minute

// lasting is the write concern of a restore: what a majority does not have yet, a new primary takes
// back, without the restore being told. What the URI says of w goes before it, as where there is no
// majority to be had nothing would be restored.
func lasting(uri *writeconcern.WriteConcern) *writeconcern.WriteConcern {
	if uri == nil {
		return writeconcern.Majority()
	}
	w := *uri
	if w.W == nil {
		w.W = writeconcern.WCMajority
	}
	return &w
}

// patience is how long a write waits for members; 0: without end, which the URI may say.
func (s Config) patience() time.Duration {
	if s.URI == "" {
		return acknowledgeTime
	}
	a, err := dump.ParseAddress(s.URI, isURIOption)
	if err != nil {
		return acknowledgeTime // check has said it
	}
	patience := acknowledgeTime
	for _, o := range a.Options {
		if ms, err := strconv.ParseInt(o.Value, 10, 32); err == nil && ms >= 0 && strings.EqualFold(o.Name, "wTimeoutMS") {
			patience = time.Duration(ms) * time.Millisecond
		}
	}
	return patience
}

// lastingCommands are those with a write concern that are run as commands.
var lastingCommands = []string{"create", "drop", "createIndexes", "collMod", "applyOps", "_mergeAuthzCollections"}

// runAcknowledged runs a command, which is done when it has reached as many members as the write
// concern says. That it was done and did not is no refusal.
func (c *Conn) runAcknowledged(ctx context.Context, db string, command bson.D, answer any) error {
	if c.Info.Mongod && c.MayElect() && slices.Contains(lastingCommands, command[0].Key) {
		command = append(slices.Clip(command), c.WriteConcern())
		if command[0].Key == "createIndexes" {
			// A member builds an index beside the others, and the primary waits for all that vote,
			// or for as many as are said here: before the write concern, and without a bound
			// (SERVER-65670).
			command = append(command, bson.E{Key: "commitQuorum", Value: c.write.W})
		}
	}
	return c.Unacknowledged(c.Run(ctx, db, command, answer))
}

// WriteConcern is what a write says of how many members it waits for, and how long. A server alone
// has nobody to wait for.
func (c *Conn) WriteConcern() bson.E {
	concern := bson.D{{Key: "w", Value: c.write.W}}
	if c.write.Journal != nil {
		concern = append(concern, bson.E{Key: "j", Value: *c.write.Journal})
	}
	if c.MayElect() && c.patience > 0 {
		concern = append(concern, bson.E{Key: "wtimeout", Value: c.patience.Milliseconds()})
	}
	return bson.E{Key: "writeConcern", Value: concern}
}

const codeWriteConcernTimeout = 64

// Unacknowledged makes of an error by which a write was done and has not reached enough members
// what that is. No other server is to be asked for it again, and it is no refusal.
func (c *Conn) Unacknowledged(err error) error {
	var missed *mongo.WriteConcernError
	if one, ok := errors.AsType[mongo.WriteException](err); ok {
		missed = one.WriteConcernError
	} else if many, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		missed = many.WriteConcernError
	}
	if missed == nil || IsElection(err) {
		return c.Ended(err)
	}
	within := ""
	if missed.Code == codeWriteConcernTimeout {
		within = fmt.Sprintf("within %s ", c.patience)
	}
	return fmt.Errorf("it was done, and %snot acknowledged by as many members as w says (%v): %s; with w=1 among the URI's options a restore does not wait for other members than the primary", within, c.write.W, missed.Message)
}

// IsPrimaryAlone tells of a replica set whose primary alone acknowledges what is written.
func (c *Conn) IsPrimaryAlone() bool { return c.MayElect() && c.write.W == 1 }

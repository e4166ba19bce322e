package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// A restore outlives an election: it knows all members of a replica set, and the driver finds the
// new primary and repeats the inserts that the old one did not answer. Other commands it does not
// repeat: that is done here, once, as by it.

// electionTime is how long a restore under way waits for a primary, at least: what the driver
// allows for one to be elected.
const electionTime = 30 * time.Second

// electionCodes are those by which a server says that it is no primary, or no longer, and a mongos
// that it has not reached a shard's.
var electionCodes = []int{
	6,     // HostUnreachable
	7,     // HostNotFound
	89,    // NetworkTimeout
	91,    // ShutdownInProgress
	134,   // ReadConcernMajorityNotAvailableYet
	189,   // PrimarySteppedDown
	262,   // ExceededTimeLimit
	9001,  // SocketException
	10058, // LegacyNotPrimary
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
}

// IsElection tells of an error after which another server may be the primary.
func IsElection(err error) bool {
	if mongo.IsNetworkError(err) || isCleared(err) {
		return true
	}
	server, ok := errors.AsType[mongo.ServerError](err)
	return ok && (server.HasErrorLabel("RetryableWriteError") || slices.ContainsFunc(electionCodes, server.HasErrorCode))
}

// notPrimaryCodes are those of them by which a server has not even begun.
var notPrimaryCodes = []int{10058, 10107, 13435, 13436}

// RunLasting runs a command of a restore, and once more after an election. Each of them does the
// second time what is left of it to do. What is there already the second time, or no more, is taken
// for done only where the first may have done it.
func (c *Conn) RunLasting(ctx context.Context, db string, command bson.D, answer any) error {
	err := c.runAcknowledged(ctx, db, command, answer)
	if ctx.Err() != nil || !c.MayElect() || !IsElection(err) {
		return err
	}
	first := err
	err = c.runAcknowledged(ctx, db, command, answer)
	if _, none := errors.AsType[topology.ServerSelectionError](err); none && ctx.Err() == nil {
		return fmt.Errorf("%w; and no primary was found after that", first)
	}
	if isCleared(first) || slices.ContainsFunc(notPrimaryCodes, func(code int) bool { return HasCode(first, code) }) {
		return err
	}
	switch {
	case command[0].Key == "create" && HasCode(err, codeNamespaceExists), command[0].Key == "drop" && HasCode(err, CodeNamespaceNotFound):
		return nil
	}
	return err
}

// MayElect tells of a server behind which another may take its place.
func (c *Conn) MayElect() bool { return c.Info.Set != "" || c.Info.Mongos }

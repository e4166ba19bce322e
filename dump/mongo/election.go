package mongo

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// A restore outlives an election: it knows all members of a replica set, and the
// driver finds the new primary and repeats the inserts that the old one did not
// answer. Other commands it does not repeat: that is done here, once, as by it.

// electionTime is how long a restore under way waits for a primary, at least: what
// the driver allows for one to be elected.
const electionTime = 30 * time.Second

// electionCodes are those by which a server says that it is no primary, or no longer.
var electionCodes = []int{
	91,    // ShutdownInProgress
	189,   // PrimarySteppedDown
	10058, // LegacyNotPrimary
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
}

// isElection tells of an error after which another server may be the primary.
func isElection(err error) bool {
	if mongo.IsNetworkError(err) {
		return true
	}
	server, ok := errors.AsType[mongo.ServerError](err)
	return ok && slices.ContainsFunc(electionCodes, server.HasErrorCode)
}

// run runs a command of a restore, and once more after an election. Each of them
// does the second time what is left of it to do.
func (s *loading) run(ctx context.Context, db string, command bson.D, answer any) error {
	err := s.conn.run(ctx, db, command, answer)
	if ctx.Err() != nil || s.conn.server.set == "" && !s.conn.server.mongos || !isElection(err) {
		return err
	}
	err = s.conn.run(ctx, db, command, answer)
	switch { // the first time it was done and not answered
	case command[0].Key == "create" && hasCode(err, codeNamespaceExists), command[0].Key == "drop" && hasCode(err, codeNamespaceNotFound):
		return nil
	}
	return err
}

package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Settings of a server and of a URI that could change what a command of this package returns, or
// whether it runs: each with what is done about it. Those of the server are the manual's parameters
// and cluster parameters of 5.0 to 8.2, those of the URI all that the driver's options have: a test
// tells of new ones.
//
// Set here, on each command:
//
//	defaultMaxTimeMS (8.0)       ends reads that take longer. maxTimeMS 0 on each read, which goes before it, also
//	                             through a mongos; a cursor has what its find had. What ends one all the same
//	                             is named.
//	setDefaultRWConcern          level available returns what a shard does not own any more, majority what is
//	                             older than the oplog's beginning. readConcern local on each read that has none.
//	                             w majority on each write of a restore, and for how long it is waited for, see
//	                             writeconcern.go.
//	cursorTimeoutMillis          ends cursors that wait. noCursorTimeout on each find.
//	localLogicalSessionTimeoutMinutes
//	                             ends sessions and their cursors: each is renewed three times within it, and at
//	                             least every five minutes.
//	requireApiVersion            refuses commands without an apiVersion: it is said where the server asks for it,
//	                             not strictly.
//	validators, documents of other versions
//	                             bypassDocumentValidation on each insert.
//	replacement of empty timestamps
//	                             bypassEmptyTsReplacement, or they are put back.
//	a collection's collation     is that of its _id too, which is the one sort there is; indexes that had none are
//	                             made with simple.
//
// Set here, in place of what a URI says:
//
//	timeoutMS                    ends commands, and with them cursors and batches: none. How long a server is
//	                             looked for and a connection takes stays bounded.
//	directConnection             set by ourselves, for the one member that all is read from. A restore writes to
//	                             the set, whose primary may change.
//
// Refused in a URI:
//
//	w=0                          inserts of which nobody hears whether they were made.
//	readConcernLevel             that is none. One that is would be the driver's for reads of its own.
//	options that are not known   where they are about encryption, or another one misspelt; else they are passed
//	                             over, which is told.
//
// What cannot change anything, and why:
//
//	readConcernLevel, retryReads, retryWrites, maxAdaptiveRetries
//	                             the driver does not apply them to the commands by which is read; a write that is
//	                             repeated is made once.
//	w, wtimeoutMS, journal       a write that is not acknowledged so fails the restore, see writeconcern.go; w=1 is
//	                             warned of.
//	readPreference, tags, maxStalenessSeconds, localThresholdMS
//	                             choose the member; all is read from one. A restore goes to the primary.
//	compressors, pool, monitoring and heartbeat, tls…, auth…, srv…, loadBalanced, appName
//	                             the way there, and not what comes back.
//	connectTimeoutMS, serverSelectionTimeoutMS
//	                             an error where they are too short.
//	notablescan                  does not concern queries without a condition, nor admin, config, local and
//	                             system collections (mongod, query planner); the update of an empty timestamp is
//	                             by _id.
//	index filters, query settings (8.0)
//	                             choose among the plans that give the same documents. reject refuses: an error.
//	internalQuery…               sizes, limits and plans: an error where they are too small.
//	internalQueryFindCommandBatchSize, internalDocumentSource…
//	                             how much is in an answer, of which as many are asked for as there are.
//	maxBSONDepth, …              of documents that are passed on as they are.
//	minSnapshotHistoryWindowInSeconds, transactionLifetimeLimitSeconds
//	                             ErrTooOld; there are no transactions.
//	ttlMonitorEnabled, expireAfterSeconds
//	                             documents that expire meanwhile are gone, in the dump or from the target: those
//	                             collections are not counted after a restore.
//	changeStreamOptions, oplog sizes
//	                             an oplog that was overwritten is an error.
//	javascriptEnabled, security.…, enableTestCommands
//	                             no command of this package needs them.
//	setUserWriteBlockMode        refuses writes: an error.
//
// Rights that make an answer shorter are in databases, collectionNames and warnOfUsers.

// reads are the commands that defaultMaxTimeMS and the default read concern are for.
var (
	reads       = []string{"find", "aggregate", "count", "collStats", "dbStats", "listCollections", "listIndexes", "listDatabases"}
	concernedBy = []string{"find", "aggregate", "count"}
)

// ownSettings adds to a command what keeps the server's settings from changing its answer.
func (c *Conn) ownSettings(command bson.D) bson.D {
	if !c.Info.Mongod || len(command) == 0 || !slices.Contains(reads, command[0].Key) {
		return command
	}
	add := func(key string, value any) {
		if !slices.ContainsFunc(command, func(e bson.E) bool { return e.Key == key }) {
			command = append(slices.Clip(command), bson.E{Key: key, Value: value})
		}
	}
	if slices.Contains(concernedBy, command[0].Key) {
		add("readConcern", bson.D{{Key: "level", Value: "local"}})
	}
	add("maxTimeMS", 0)
	return command
}

const codeMaxTimeMSExpired = 50

// withTimeLimit names, for a command that the server has ended by a limit of its own, what sets
// one. The driver takes such an error for a context's end, as if it were this program that had lost
// patience.
func withTimeLimit(err error) error {
	ended, ok := errors.AsType[mongo.CommandError](err)
	if !ok || ended.Code != codeMaxTimeMSExpired {
		return err
	}
	server := mongo.CommandError{Code: ended.Code, Name: "MaxTimeMSExpired", Message: ended.Message, Labels: ended.Labels, Raw: ended.Raw}
	return fmt.Errorf("%w; the limit is the server's, as by its parameter defaultMaxTimeMS, and not this program's: raise it, or give the user the right bypassDefaultMaxTimeMS", server)
}

// withoutSettings takes out of what a URI says that by which commands would be ended, or cursors:
// with some servers and proxies a cursor goes with its connection, which maxIdleTimeMS has the
// driver close between two answers.
func withoutSettings(opts *options.ClientOptions) { opts.Timeout, opts.MaxConnIdleTime = nil, nil }

// wantsAPIVersion tells of a server that takes no command without an apiVersion. It may say so
// while a connection is made, and then by its words alone.
func wantsAPIVersion(err error) bool {
	return HasCode(err, codeAPIVersion) || strings.Contains(err.Error(), "The apiVersion parameter is required")
}

const codeAPIVersion = 498870

// withAPIVersion is opts with an apiVersion, under which all commands remain allowed.
func withAPIVersion(opts *options.ClientOptions) *options.ClientOptions {
	return opts.SetServerAPIOptions(options.ServerAPI(options.ServerAPIVersion1).SetStrict(false))
}

// refreshWithin is how often a session has to be renewed that the server ends after minutes.
func refreshWithin(minutes int64) time.Duration {
	const most = 60 // beyond which it makes no difference, and might not fit
	if minutes <= 0 {
		return RefreshTime
	}
	return min(RefreshTime, time.Duration(min(minutes, most))*time.Minute/3)
}

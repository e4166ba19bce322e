package main

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"syscall"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/dump/mysql"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// Exit codes, besides those of interruption. They are stated in help and in the README.
const (
	exitDone     = 0
	exitFailed   = 1 // backup or restore failed; no snapshot was made
	exitUsage    = 2 // wrong use or configuration; nothing was contacted but the webhook
	exitFollowUp = 3 // the snapshot is safe, but forget, prune or the notification failed
)

const exitCodesHelp = `  0    done
  1    failed: no snapshot was made, or the restore is not whole
  2    wrong use or configuration; nothing was contacted but the webhook
  3    the snapshot is safe, but forget, prune or the notification failed
  130  interrupted by SIGINT; 143: by SIGTERM
`

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// followUpError is a failure of what comes after a snapshot.
type followUpError struct{ err error }

func (e followUpError) Error() string { return e.err.Error() }
func (e followUpError) Unwrap() error { return e.err }

// reportedError is an error that the log has already told.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// exitCode is the exit code for what a command returned under ctx.
func exitCode(ctx context.Context, err error) int {
	var usage usageError
	var config *configError
	var followUp followUpError
	var signal interruption
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &config):
		return exitUsage
	case errors.As(err, &followUp): // also when a signal cut it short: whoever sees 130 or 143 may count on there being no snapshot
		return exitFollowUp
	case errors.As(context.Cause(ctx), &signal):
		return signal.code()
	}
	return exitFailed
}

// explain puts the signal in the place of whatever broke when it came.
func explain(ctx context.Context, err error) error {
	var signal interruption
	var followUp followUpError
	if err == nil || !errors.As(context.Cause(ctx), &signal) {
		return err
	}
	if errors.As(err, &followUp) {
		return followUpError{signal}
	}
	return signal
}

// hint is what a person can do about an error, or empty.
func hint(err error) string {
	var usage usageError
	var server interface{ SQLState() string }
	var coded interface{ HasErrorCode(int) bool } // MongoDB's
	var space *stream.SpaceError
	var name *net.DNSError
	switch {
	case errors.As(err, &usage):
		return "breaking-backups help says how it is used"
	case errors.Is(err, restic.ErrWrongPassword):
		return "is RESTIC_PASSWORD (or its _FILE) the password with which this repository was made?"
	case errors.Is(err, restic.ErrNoRepository):
		return "is RESTIC_REPOSITORY right? One that is not there yet is made by the first backup, or by breaking-backups init"
	case errors.Is(err, errNoSnapshot):
		return "breaking-backups snapshots --all lists what there is"
	case errors.Is(err, postgres.ErrNotEmpty), errors.Is(err, mongo.ErrNotEmpty):
		return "restore into a new database (--database), a dump of all into a new server, or let everything in the way be dropped first: --clean"
	case errors.Is(err, dump.ErrElsewhere):
		return "a dump goes into the databases that it is of: take out of it what leads elsewhere, or load it with the engine's own client"
	case errors.Is(err, postgres.ErrUndroppable):
		return "nothing is dropped while one of the databases has to stay: end what is named there, or restore as their owner"
	case errors.Is(err, postgres.ErrWholeCluster):
		return "leave --database out: the dump makes its databases by their own names"
	case errors.Is(err, restic.ErrLocked):
		return "wait for the restic that works on the repository, or longer: LOCK_WAIT_SECONDS; a lock that nobody refreshes is removed after 30 minutes, or by hand once its restic is known to have ended: restic unlock"
	case errors.Is(err, restic.ErrNoDelete):
		return "an append-only store keeps what it has: leave KEEP_* unset here, and forget and prune from where it may be deleted from; or give these keys the right to delete, which below locks/ they need in any case"
	case errors.Is(err, restic.ErrKilled):
		return "did the container reach its memory limit? Raise it, or have restic take less: GOGC=20, fewer connections to the store; else who has killed it?"
	case errors.Is(err, errSeveralSources):
		return "give each database a RESTIC_HOST of its own; if they are one and the same, say so once: forget-prune --accept-sources"
	case errors.Is(err, errMadeIsMissing):
		return "set RESTIC_HOST and JOB_NAME to plain names, which restic keeps as they are"
	case errors.As(err, new(*dump.EmptyError)):
		return "is the name right, also in its case, and may the user see it? If nothing is what is meant: ALLOW_EMPTY=true"
	case errors.Is(err, exec.ErrNotFound):
		return "restic is part of the image, and make build puts it beside the program; elsewhere take it from https://github.com/restic/restic/releases and put it beside the program or on PATH, or name it in RESTIC_BINARY"
	case errors.Is(err, mysql.ErrNotEmpty):
		return "restore into a new database (--database), a dump of several into a new server, or let everything in the way be dropped first: --clean"
	case errors.Is(err, mysql.ErrNoKey):
		return "encrypt the connection (MYSQL_TLS=required, or verify-full with MYSQL_TLS_CA); or where there is no TLS give the server's public_key.pem, as it is known: MYSQL_SERVER_PUBLIC_KEY"
	case errors.Is(err, postgres.ErrCleartext):
		return "encrypt the connection: PGSSLMODE=require, or verify-full with PGSSLROOTCERT; PGSSLMODE=disable says that nobody is between"
	case errors.Is(err, postgres.ErrRecoveryConflict):
		return "on the standby hot_standby_feedback = on, or a larger max_standby_streaming_delay; or dump from the primary"
	case errors.Is(err, mysql.ErrNoName):
		return "name it with --database or MYSQL_DATABASE"
	case errors.Is(err, postgres.ErrNoName):
		return "name it with --database; PG_DUMP_ALL and PG_DATABASES are for dumps of several"
	case errors.Is(err, mysql.ErrSeveral):
		return "leave --database out, and MYSQL_DATABASE unset or as it was for the dump"
	case mysql.ErrorNumber(err) != 0:
		return hintMySQL(err, errors.As(err, new(restoreError)))
	case errors.As(err, new(*postgres.RightError)): // it says what to grant
		return ""
	case errors.As(err, &server):
		return hintPostgres(server.SQLState(), err)
	case errors.Is(err, mongo.ErrManyDatabases):
		return "leave --database out, or take one database of the dump: --ns-include app.*, and --ns-from, --ns-to for another name"
	case errors.Is(err, mongo.ErrOutside):
		return "--ns-to names collections of the database that the dump goes into; for another, name that with --database"
	case errors.Is(err, mongo.ErrUndroppable), errors.Is(err, mongo.ErrNoRight):
		return restoreRole
	case errors.Is(err, mongo.ErrNothingSelected):
		return "patterns are database.collection, with * for any text, and tell cases apart"
	case errors.Is(err, mongo.ErrNoReplay):
		return "restore it into a replica set; or leave the oplog out, and with it users and roles, with --ns-include '*': documents are then as they were when each was read"
	case errors.Is(err, mongo.ErrTooOld):
		return "raise the server's minSnapshotHistoryWindowInSeconds; dump all databases of a replica set with MONGO_OPLOG=on; or read without a snapshot: MONGO_OPLOG=off"
	case errors.As(err, new(*mongo.RightError)): // it says what to grant
		return ""
	case errors.As(err, &coded):
		return hintMongo(coded, errors.As(err, new(restoreError)))
	case errors.As(err, new(*timeoutError)):
		return "what was it waiting for? The log tells; the variable says how long it may take"
	case errors.As(err, new(*restic.RefusedError)):
		return "are the store's address, bucket and keys right, and may they do this? Certificates: RESTIC_CACERT"
	case errors.As(err, new(*restic.StallError)):
		return "can the store be reached, and does it work? STALL_TIMEOUT_SECONDS says how long it is waited for"
	case errors.As(err, &space):
		return "WORK_DIR must have room for the compressed dump, or set BACKUP_MODE=stream"
	case errors.As(err, new(*stream.StallError)):
		return "whoever takes the dump stood still while the database was held; STALL_TIMEOUT_SECONDS says for how long it may, and BACKUP_MODE=auto goes on over WORK_DIR then"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "does the server run, and are its host and port right?"
	case errors.As(err, &name):
		return "is the server's host right?"
	case errors.Is(err, dump.ErrNoAnswer):
		return "are host and port right, does the server run, and is it overloaded? CONNECT_TIMEOUT_SECONDS says how long to wait"
	}
	return ""
}

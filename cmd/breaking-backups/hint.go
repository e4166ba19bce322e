package main

import (
	"errors"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/output"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// hint is what a person can do about an error, or empty. It goes by what the error is, never by its
// words: those are the servers', and hold names that anybody may have chosen.
func hint(err error) string {
	var config *exit.ConfigError
	if errors.As(err, &config) && len(config.Mistakes) > 1 {
		return hintMistakes(config.Mistakes)
	}
	if text := hintOurs(err); text != "" {
		return text
	}
	// An engine that knows the error has the last word, even where it has none to say: the error
	// says it then.
	restoring := errors.As(err, new(restoreError))
	for _, ofEngine := range []func(error, bool) (string, bool){hintMySQL, hintPostgres, hintMongo} {
		if text, known := ofEngine(err, restoring); known {
			return text
		}
	}
	return hintWay(err)
}

// hintMistakes is hint for several mistakes, of which each may have its own.
func hintMistakes(mistakes []error) string {
	var all []string
	for _, err := range mistakes {
		if text := hint(err); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// hintOurs is hint for what this program, restic or any engine refuses.
func hintOurs(err error) string {
	var missing *noSnapshotError
	switch {
	case errors.Is(err, errToTerminal):
		return "redirect it, or name a file: --output FILE"
	case errors.Is(err, errFromTerminal):
		return "redirect a dump into it, or name a file: --file FILE"
	case errors.Is(err, errStdinOnce):
		return "put the dump into a file, and name that: --file FILE"
	case errors.As(err, new(exit.UsageError)):
		return "breaking-backups help says how it is used"
	case errors.Is(err, restic.ErrWrongPassword):
		return "is RESTIC_PASSWORD (or its _FILE) the password with which this repository was made?"
	case errors.Is(err, restic.ErrNoRepository):
		return "is RESTIC_REPOSITORY right? One that is not there yet is made by the first backup, or by breaking-backups init"
	case errors.As(err, &missing) && len(missing.hosts) > 0:
		return "name the host with --host or RESTIC_HOST"
	case errors.As(err, &missing):
		return "breaking-backups snapshots --all lists what there is"
	case errors.As(err, new(*dump.IncompleteError)):
		return "the log names each of them with the server's words; once the cause is gone, what is missing can be restored by itself"
	case errors.Is(err, dump.ErrNotEmpty):
		return "restore into a new database (--database), a dump of several into a new server, or let everything in the way be dropped first: --clean"
	case errors.Is(err, dump.ErrElsewhere):
		return "a dump goes into the databases that it is of: take out of it what leads elsewhere, or load it with the engine's own client"
	case errors.Is(err, restic.ErrLocked):
		return "wait for the restic that works on the repository, or longer: LOCK_WAIT_SECONDS; a lock that nobody refreshes is removed after 30 minutes, or by hand once its restic is known to have ended: restic unlock"
	case errors.Is(err, restic.ErrNoDelete):
		return "an append-only store keeps what it has: leave KEEP_* unset here, and forget and prune from where it may be deleted from; or give these keys the right to delete, which below locks/ they need in any case"
	case errors.Is(err, restic.ErrKilled):
		return "did the container reach its memory limit? Raise it, or have restic take less: GOGC=20, fewer connections to the store; else who has killed it?"
	case errors.As(err, new(*severalSourcesError)):
		return "give each database a RESTIC_HOST of its own; if they are one and the same, say so once: forget-prune --accept-sources"
	case errors.As(err, new(*missingMadeError)):
		return "set RESTIC_HOST and JOB_NAME to plain names, which restic keeps as they are"
	case errors.Is(err, errAllFuture):
		return "is this machine's clock right?"
	case errors.Is(err, errAllTooOld):
		return "is this machine's clock right, or was there no backup for so long? If it is right there is nothing to do: the next run forgets them"
	case errors.As(err, new(*dump.EmptyError)):
		return "is the name right, also in its case, and may the user see it? If nothing is what is meant: ALLOW_EMPTY=true"
	case errors.Is(err, exec.ErrNotFound):
		return "restic is part of the image, and make build puts it beside the program; elsewhere take 0.17 or newer from https://github.com/restic/restic/releases and put it beside the program or on PATH, or name it in RESTIC_BINARY"
	}
	return hintSettings(err)
}

// hintSettings is hint for what no run can begin with.
func hintSettings(err error) string {
	switch {
	case errors.As(err, new(*policyError)):
		return "leave all of KEEP_* unset to keep everything"
	case errors.As(err, new(*serviceLinkError)):
		return "set the port yourself, or have the pod say enableServiceLinks: false"
	case errors.As(err, new(*noBackupsHereError)):
		return "make backups on Linux, in a container or WSL; dump, restore and snapshots work here"
	}
	return ""
}

// hintWay is hint for what went wrong on the way: time that was over, a store, a folder, a network.
func hintWay(err error) string {
	switch {
	case errors.As(err, new(*timeoutError)):
		return "what was it waiting for? The log tells; the variable says how long it may take"
	case errors.As(err, new(*restic.RefusedError)):
		return "are the store's address, bucket and keys right, and may they do this? Certificates: RESTIC_CACERT"
	case errors.As(err, new(*restic.StallError)):
		return "can the store be reached, and does it work? STALL_TIMEOUT_SECONDS says how long it is waited for"
	case errors.As(err, new(*output.ReplaceError)):
		return "name another file, or have the shell write into this one: > FILE"
	case errors.As(err, new(*stream.SpaceError)):
		return "WORK_DIR must have room for the compressed dump, or set BACKUP_MODE=stream"
	case errors.As(err, new(*stream.StallError)):
		return "whoever takes the dump stood still while the database was held; STALL_TIMEOUT_SECONDS says for how long it may, and BACKUP_MODE=auto goes on over WORK_DIR then"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "does the server run, and are its host and port right?"
	case errors.As(err, new(*net.DNSError)):
		return "is the server's host right?"
	case errors.Is(err, dump.ErrNoAnswer):
		return "are host and port right, does the server run, and is it overloaded? CONNECT_TIMEOUT_SECONDS says how long to wait"
	}
	return ""
}

// Package restic runs the restic program: it feeds a stream into a backup, commits it or takes it
// back, and reads what restic answers. It owns restic's commands, the input of a backup and what a
// snapshot is; how a restic is run and what its exit means are internal/process's, what makes and
// mends a repository and goes by its locks is internal/repository's. What is in the stream, when to
// back up and which policy to keep are its callers'; where the repository is and how it is reached,
// restic's own environment variables say.
//
// The package's one promise is that of [Client.Backup]: a snapshot exists only if the reader ended
// in io.EOF. See there.
package restic

import (
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/internal/repository"
)

// Client runs one restic program against one repository. The zero value of every field but Env is
// usable, a Client holds no state, and its methods may be called at once from several goroutines.
type Client struct {
	// Binary is restic's path, or its name on PATH. Default: "restic".
	Binary string

	// Env is the child's whole environment, as os.Environ returns it: RESTIC_REPOSITORY,
	// RESTIC_PASSWORD and whatever the backend needs. Secrets travel in it and nowhere else.
	Env []string

	// LockWait is how long to wait for a lock that may be a living restic's, once dead ones are
	// removed. Zero: not at all.
	LockWait time.Duration

	// Waiting is told, once a command, who holds a lock that is in the way: it is about to be
	// removed as dead or waited for. nil: nobody is.
	Waiting func(*LockedError)

	// LockHistory is the process's: what it does with repositories goes by one. nil: nothing is
	// remembered from one command to the next, and therefore restic is not asked to remove locks,
	// which a store without a folder here needs.
	LockHistory *LockHistory

	// Stall ends a restic that for so long has neither read nor written anything to speak of, with
	// a [*StallError]; a backup or a dump only after four times that. What restic's caller keeps it
	// waiting for does not count. 0: never. It is seen on Linux alone.
	Stall time.Duration

	// Still is told of a restic that has not for 30 s, and then every minute. It is called from a
	// goroutine of its own. nil: nobody is.
	Still func(op string, since time.Duration)

	// Said is told what restic says on its standard error while it works: of a store that does not
	// answer, of a cache that cannot be written. Passwords of URLs are left out. It is called from
	// a goroutine of its own. nil: nobody is.
	Said func(line string)

	// Grace is how long an interrupted restic may take to remove its lock before it is killed.
	// Default: 5 s.
	Grace time.Duration
}

// LockHistory is what a process remembers of the locks that it had removed, and of those of its own
// that a store keeps. The zero value is that of a process that has just begun.
type LockHistory = repository.LockHistory

// program runs what does not go by the repository's locks.
func (c *Client) program() *process.Program {
	return &process.Program{Binary: c.Binary, Env: c.Env, Stall: c.Stall, Still: c.Still, Said: c.Said, Grace: c.Grace}
}

// keeper runs what does.
func (c *Client) keeper() *repository.Keeper {
	return &repository.Keeper{Program: *c.program(), LockWait: c.LockWait, Waiting: c.Waiting, History: c.LockHistory}
}

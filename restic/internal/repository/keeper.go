// Package repository has restic work on one repository, and takes care of that: it makes a
// repository that is missing, once, whoever else does so at the same time; mends one that rivals
// have broken; keeps commands off while others hold it; and removes locks of the dead, and of
// nobody else. How a restic is run it leaves to package process, what is to be done in the
// repository to its callers.
package repository

import (
	"context"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Keeper is who has restic work on a repository, which Program's environment names. Its methods may
// be called at once from several goroutines. LockWait and Waiting are those of restic.Client.
type Keeper struct {
	Program  process.Program
	LockWait time.Duration
	Waiting  func(*LockedError)

	// History is the process's own, and shared by all that it does with the repository. nil:
	// nothing is remembered, and therefore restic is not asked to remove locks.
	History *LockHistory
}

// run has restic do what needs no lock.
func (k *Keeper) run(ctx context.Context, command process.Command) error {
	program := k.Program
	program.Said = func(line string) {
		if k.Program.Said != nil {
			k.Program.Said(line)
		}
		k.History.hear(line)
	}
	return program.Run(ctx, command)
}

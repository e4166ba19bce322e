package restic

import (
	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/internal/repository"
)

// What restic's exit codes and words mean, for errors.Is.
var (
	ErrNoRepository  = process.ErrNoRepository
	ErrLocked        = process.ErrLocked
	ErrWrongPassword = process.ErrWrongPassword
	ErrDamaged       = process.ErrDamaged  // the password opens a key that does not fit the config
	ErrNoDelete      = process.ErrNoDelete // the store lets nobody delete, or not with these keys; all but forgetting and pruning works there
	ErrKilled        = process.ErrKilled   // the system has killed restic, or somebody, and not this package
)

type (
	// Error is a run of restic that did not end with exit status 0.
	Error = process.Error

	// A RefusedError is why a restic was ended whose store will have nothing to do with it.
	RefusedError = process.RefusedError

	// StallError is why a restic was ended that did nothing any more.
	StallError = process.StallError

	// A LockedError is why a command did not run: others hold the repository, and none of them is
	// known to be dead. It is an [ErrLocked].
	LockedError = repository.LockedError
)

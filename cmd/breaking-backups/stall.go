package main

import (
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/stream"
)

// What keeps a run waiting is told after half a minute and then every minute. What the store, or
// the reader of a dump, keeps waiting for STALL_TIMEOUT_SECONDS is ended, as a database's snapshot
// and locks are held meanwhile. A database may take its time: it may be sorting a table, or
// building an index, and a dead one is found out by the connection.

// pipe is how a dump passes from the database, which is not to be held for long, to restic.
func (b *backup) pipe() stream.PipeOptions {
	var spilling atomic.Bool
	options := stream.PipeOptions{
		Stall: b.stall,
		// Of restic its client tells: it takes the stream in gulps, and between them stores what it
		// has.
		Still: func(side stream.Side, since time.Duration) {
			if side == stream.Producer && !spilling.Load() {
				b.tell.Note("waiting for the database", "since", since.Round(time.Second))
			}
		},
	}
	if b.job.backup.Mode == "auto" {
		options.Spill = &stream.SpoolOptions{Dir: b.job.backup.WorkDir}
		options.Spilling = func() {
			spilling.Store(true)
			b.tell.Warn("the store does not take the dump: what is left of it is spooled, so that the database can be let go",
				"after", b.stall, "folder", b.job.backup.WorkDir)
		}
	}
	return options
}

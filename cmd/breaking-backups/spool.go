package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// The way over the disk. BACKUP_MODE=spool always takes it. With auto it is taken when restic
// failed midway, so that the database is read once more and then let go, however long the
// repository takes to come back.

// sweep removes what a killed run has left in the work folder.
func (b *backup) sweep() {
	removed, err := stream.CleanSpool(b.job.backup.WorkDir)
	if err != nil {
		b.tell.Warn("leftovers of a killed run stay", "error", err)
	}
	if removed > 0 {
		b.tell.Note("leftovers of a killed run removed", "folder", b.job.backup.WorkDir, "files", removed)
	}
}

// spooled puts the dump down in the work folder and hands it to restic from there, again and again
// if it must.
func (b *backup) spooled(ctx context.Context, tags []string, repo *repository) (_ restic.Summary, err error) {
	spool, err := stream.Fill(ctx, stream.SpoolOptions{Dir: b.job.backup.WorkDir}, b.dump(event.Spool))
	if err != nil {
		return restic.Summary{}, err
	}
	defer func() {
		if failed := spool.Remove(); failed != nil {
			b.tell.Warn("the spooled dump stays until the next run", "error", failed)
		}
	}()
	b.tell.Emit(event.Spooled{Bytes: spool.Size(), Stored: spool.Stored()})
	b.tell.Note("dump spooled", "folder", b.job.backup.WorkDir, "bytes", spool.Size(), "stored", spool.Stored())
	if repo.missing {
		if err := repo.create(ctx); err != nil {
			return restic.Summary{}, err
		}
	}
	return b.storeSpool(ctx, tags, spool)
}

func (b *backup) storeSpool(ctx context.Context, tags []string, spool *stream.Spool) (restic.Summary, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier, wait.MaxInterval = time.Duration(b.job.backup.RetryWait), 2, 10*time.Minute
	once := func() (restic.Summary, error) {
		r, err := spool.Open()
		if err != nil {
			return restic.Summary{}, backoff.Permanent(err)
		}
		defer r.Close()
		b.tell.Passing(event.Phase{Name: event.Store, Total: spool.Size()})
		summary, err := b.restic.Backup(ctx, b.options(tags), audience.CountedReader(b.tell, r))
		if err != nil && !worthTryingAgain(err) {
			err = backoff.Permanent(err)
		}
		return summary, err
	}
	return backoff.Retry(
		ctx, once,
		backoff.WithBackOff(wait), backoff.WithMaxTries(b.job.backup.Retries+1), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			b.tell.Emit(event.Retried{})
			b.tell.Warn("storing the spooled dump failed, it is tried again", "error", err, "wait", wait)
		}),
	)
}

// worthTryingAgain reports whether what ails restic may pass. A lock has been waited for already.
func worthTryingAgain(err error) bool {
	return !errors.Is(err, restic.ErrWrongPassword) && !errors.Is(err, restic.ErrNoRepository) && !errors.Is(err, restic.ErrDamaged) &&
		!errors.Is(err, restic.ErrLocked) && !errors.As(err, new(*restic.RefusedError))
}

// fallBack takes the way over the disk after restic failed midway with failure, and tells of both
// if that fails as well.
func (b *backup) fallBack(ctx context.Context, tags []string, repo *repository, failure error) (restic.Summary, error) {
	b.tell.Emit(event.Retried{})
	b.tell.Warn("restic failed midway: the dump is read again and spooled", "error", failure, "folder", b.job.backup.WorkDir)
	b.tell.Anew()
	summary, err := b.spooled(ctx, tags, repo)
	if err != nil {
		return summary, fmt.Errorf("spooled: %w; before that, streamed: %w", err, failure)
	}
	return summary, nil
}

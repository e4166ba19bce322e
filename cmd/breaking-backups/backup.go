package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// backup is one job with all that a run of it needs. Its runs are independent of each other; no two may go on at once.
type backup struct {
	cfg    *config
	source source
	job    job
	restic *restic.Client
	log    logger
	warned *atomic.Int64 // warnings of the dump that is being made

	renew func(context.Context, *config) (*backup, error) // makes another of a configuration read anew
}

func (a *app) newBackup(ctx context.Context, cfg *config) (*backup, error) {
	if err := restic.CanBackUp(); err != nil {
		return nil, &configError{[]string{err.Error() + ": make backups on Linux, in a container or WSL; dump, restore and snapshots work here"}}
	}
	warned := new(atomic.Int64)
	src, err := newCountedSource(cfg, a.log.Logger, warned)
	if err != nil {
		return nil, err
	}
	if err := checkTemp(); err != nil {
		return nil, err
	}
	client, err := checkedRestic(ctx, cfg, a.log)
	if err != nil {
		return nil, err
	}
	return &backup{cfg: cfg, source: src, job: newJob(cfg, src), restic: client, log: a.log, warned: warned, renew: a.newBackup}, nil
}

// outcome is how a run went.
type outcome struct {
	started, finished time.Time
	summary           restic.Summary // zero without a snapshot
	err               error          // a followUpError when the snapshot is safe
}

// run makes one backup, applies the retention policy and tells the webhook. It logs a line at the start and one at the
// end; the error it returns is among what it has logged.
func (b *backup) run(ctx context.Context) error {
	b.log.Info("backup started", "job", b.job.name, "host", b.job.host, "repository", b.cfg.shownRepository(), "mode", b.cfg.Backup.Mode)
	b.warned.Store(0)
	out := outcome{started: time.Now()}
	making, cancel := bounded(ctx, "BACKUP_TIMEOUT_SECONDS", b.cfg.Backup.Timeout)
	out.summary, out.err = b.snapshot(making)
	if next := b.secondChance(making, out.err); next != nil {
		b = next
		out.summary, out.err = b.snapshot(making)
	}
	out.err = blame(making, out.err)
	cancel()
	if out.err == nil {
		following, cancel := bounded(ctx, "FORGET_TIMEOUT_SECONDS", b.cfg.Retention.Timeout)
		b.unlock(following)
		if err := b.forget(following, out.summary.SnapshotID); err != nil {
			out.err = followUpError{blame(following, err)}
		}
		cancel()
	}
	return b.end(ctx, out)
}

// secondChance is what a run that has failed in this way begins again with, for there are failures that a second try does
// not meet. nil: there is none.
func (b *backup) secondChance(ctx context.Context, err error) *backup {
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, postgres.ErrRecoveryConflict):
		b.log.Warn("the standby ended the dump: it is tried once more", "error", err)
		b.warned.Store(0) // all that was told of the dump is told anew
		return b
	case isWrongPassword(err):
		if now := b.renewed(ctx); now != nil {
			b.log.Warn("a password was wrong, and has been changed since it was read: the run begins again", "error", err)
			return now
		}
	}
	return nil
}

// end logs how a run went and tells the webhook. The error it returns is among what it has logged.
func (b *backup) end(ctx context.Context, out outcome) error {
	out.finished = time.Now()
	out.err = explain(ctx, out.err)
	b.logEnd(out)
	if err := b.notify(ctx, out); err != nil {
		b.log.Error("notification failed", "error", err)
		if out.err == nil {
			out.err = followUpError{err}
		}
	}
	if out.err != nil {
		return reportedError{out.err}
	}
	return nil
}

func (b *backup) logEnd(out outcome) {
	var followUp followUpError
	fields := []any{"job", b.job.name, "duration", out.finished.Sub(out.started)}
	if out.err == nil || errors.As(out.err, &followUp) {
		fields = append(
			fields, "snapshot", shortID(out.summary.SnapshotID),
			"bytes", out.summary.TotalBytesProcessed, "added", out.summary.DataAdded, "stored", out.summary.DataAddedPacked,
		)
	}
	if warned := b.warned.Load(); warned > 0 {
		fields = append(fields, "warnings", warned)
	}
	if out.err == nil {
		b.log.Info("backup done", fields...)
		return
	}
	fields = append(fields, "error", out.err)
	if advice := hint(out.err); advice != "" {
		fields = append(fields, "hint", advice)
	}
	if errors.As(out.err, &followUp) {
		b.log.Error("backup done, but not what follows it", fields...)
		return
	}
	b.log.Error("backup failed", fields...)
}

// snapshot makes the snapshot. A repository that is not there it makes no sooner than the dump has begun to come: a run
// that cannot succeed must not leave one behind, where a typo says that there is one or to be made anew with another
// password.
func (b *backup) snapshot(ctx context.Context) (restic.Summary, error) {
	b.sweep()
	survey, err := b.source.Survey(ctx)
	if err != nil {
		return restic.Summary{}, err
	}
	tags := append(slices.Clone(b.cfg.tags), sourceTag+cmp.Or(survey.Source, unknownSource))
	if survey.Empty {
		tags = append(tags, emptyTag)
	}
	repo := &repository{backup: b}
	// A stream can be taken back: restic may tell as well at its beginning what is wrong with a repository.
	if b.cfg.Backup.Mode == "spool" || !b.restic.Settled(ctx) {
		if err := repo.look(ctx); err != nil {
			return restic.Summary{}, err
		}
	}
	if b.cfg.Backup.Mode == "spool" {
		return b.spooled(ctx, tags, repo)
	}
	summary, err := b.streamed(ctx, tags, repo)
	var consume *stream.ConsumeError
	if b.cfg.Backup.Mode == "stream" || ctx.Err() != nil || !errors.As(err, &consume) || !worthTryingAgain(err) || repo.missing {
		return summary, err
	}
	return b.fallBack(ctx, tags, repo, err)
}

// unlock removes the locks of runs that were killed, once they are dead for certain. They hinder no backup, but whatever
// wants the repository for itself. Forgetting is such, and does it by itself.
func (b *backup) unlock(ctx context.Context) {
	if ctx.Err() != nil || !b.cfg.policy.IsZero() {
		return
	}
	if err := b.restic.RemoveDeadLocks(ctx); err != nil {
		b.log.Warn("locks of killed runs may be left", "error", err)
	}
}

// streamed hands the dump to restic as it is read. Nothing is written to disk, unless the store does not take it. The
// database is not held while a lock of the repository is waited for, which may take half an hour after a prune was
// killed: the dump then begins anew.
func (b *backup) streamed(ctx context.Context, tags []string, repo *repository) (restic.Summary, error) {
	patient, last := *b.restic, false
	for deadline := time.Now().Add(b.restic.LockWait); ; {
		var summary restic.Summary
		_, err := b.pipe().Pipe(ctx, b.source.Dump, func(ctx context.Context, r io.Reader) (err error) {
			if repo.missing {
				if r, err = begun(r); err != nil {
					return err
				}
				if err := repo.create(ctx); err != nil {
					return err
				}
			}
			options := b.options(tags)
			options.NoWait = true
			summary, err = b.restic.Backup(ctx, options, r)
			return err
		})
		if !errors.Is(err, restic.ErrLocked) || ctx.Err() != nil {
			return summary, err
		}
		if last {
			return summary, err
		}
		// It ends: the try that follows the last wait is the last one.
		patient.LockWait = max(time.Until(deadline), 0)
		last = patient.LockWait == 0
		if err := patient.AwaitLock(ctx); err != nil {
			return restic.Summary{}, err
		}
		b.warned.Store(0) // all that was told of the dump is told anew
	}
}

// options are those of a snapshot that bears these tags.
func (b *backup) options(tags []string) restic.BackupOptions {
	return restic.BackupOptions{Host: b.job.host, Filename: b.job.file, Tags: tags, Compression: b.cfg.engine().compression(b.cfg)}
}

// forget applies the retention policy to this job's snapshots, of which the run has made one. What it has to leave
// undone the next run makes up for: the policy looks at all that is there.
func (b *backup) forget(ctx context.Context, made string) error {
	if b.cfg.policy.IsZero() {
		b.log.Info("nothing is ever forgotten: no KEEP_* is set", "job", b.job.name)
		return nil
	}
	done, err := retainer{cfg: b.cfg, job: b.job, restic: b.restic, log: b.log, made: made}.apply(ctx)
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	b.log.Info("retention applied", "job", b.job.name, "policy", b.cfg.policy.String(),
		"kept", len(done.stay), "forgotten", len(done.gone), "pruned", done.pruned)
	return nil
}

// shortID is a snapshot's ID as restic shows it.
func shortID(id string) string { return id[:min(len(id), 8)] }

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
)

// backup is a run of a job, with all that it needs: once more where there is a second chance, but
// no two at once.
type backup struct {
	job
	environment
	source source
	restic *restic.Client
	tell   *audience.Teller

	held     *held // by the dump
	expected int64 // about how many bytes the dump will have; 0: nobody knows
}

// noBackupsHereError is why this system makes no backups.
type noBackupsHereError struct{ err error }

func (e *noBackupsHereError) Error() string { return "back up: " + e.err.Error() }
func (e *noBackupsHereError) Unwrap() error { return e.err }

// newBackup makes a backup that tells by tell; nil: by one of its own.
func newBackup(ctx context.Context, j job, env environment, tell *audience.Teller) (*backup, error) {
	if err := restic.CanBackUp(); err != nil {
		return nil, &exit.ConfigError{Mistakes: []error{&noBackupsHereError{err}}}
	}
	if tell == nil {
		tell = env.teller(j.run(event.Backup))
	}
	holds := new(held)
	src, err := j.engine.source(holds.by(toldBy(tell)))
	if err != nil {
		return nil, err
	}
	if err := checkTemp(); err != nil {
		return nil, err
	}
	client, err := env.checkedRestic(ctx, j.store, tell)
	if err != nil {
		return nil, err
	}
	return &backup{job: j, environment: env, source: src, restic: client, tell: tell, held: holds}, nil
}

// run makes one backup, applies the retention policy, and tells all who listen how it went. The
// error it returns has been told.
func (b *backup) run(ctx context.Context) error {
	begun := event.Begun{Mode: b.job.backup.Mode}
	b.tell.Subscribe(b.hearers())
	b.tell.Emit(begun)
	b.tell.Anew()
	out := audience.Outcome{Started: time.Now()}
	making, cancel := bounded(ctx, "BACKUP_TIMEOUT_SECONDS", b.job.backup.Timeout)
	out.Summary, out.Err = b.snapshot(making)
	if next := b.secondChance(making, out.Err); next != nil {
		if next != b {
			next.tell.Subscribe(next.hearers(), begun)
		}
		b = next
		out.Summary, out.Err = b.snapshot(making)
	}
	out.Err = blame(making, out.Err)
	cancel()
	if out.Err == nil {
		following, cancel := bounded(ctx, "FORGET_TIMEOUT_SECONDS", b.retention.timeout)
		b.unlock(following)
		if err := b.forget(following, out.Summary.SnapshotID); err != nil {
			out.Err = exit.FollowUpError{Err: blame(following, err)}
		}
		cancel()
	}
	out.Tables = b.held.tables
	return ended(ctx, b.tell, out)
}

// held is what a dump holds, told table by table as the rows of each have passed.
type held struct{ tables []event.Table }

// by has the tables that a dump tells put down.
func (h *held) by(hooks dumpHooks) dumpHooks {
	told := hooks.table
	hooks.table = func(t dump.Table) {
		h.tables = append(h.tables, event.Table{Name: t.Name, Rows: t.Rows})
		told(t)
	}
	return hooks
}

// hearers are who listens to the run.
func (b *backup) hearers() []audience.Listener { return b.environment.hearers(b.listeners) }

// secondChance is what a run that has failed in this way begins again with, for there are failures
// that a second try does not meet. nil: there is none.
func (b *backup) secondChance(ctx context.Context, err error) *backup {
	switch {
	case ctx.Err() != nil:
	case errors.As(err, new(*dump.PassingError)):
		b.tell.Warn("the dump failed, and may well succeed now: it is tried once more", "error", err)
		b.tell.Emit(event.Retried{})
		b.tell.Anew()
		return b
	case isWrongPassword(err):
		if now := b.renewed(ctx); now != nil {
			b.tell.Warn("a password was wrong, and has been changed since it was read: the run begins again", "error", err)
			now.tell.Emit(event.Retried{})
			now.tell.Anew()
			return now
		}
	}
	return nil
}

// ended tells all who listen how a run went. The error it returns is among what it has told.
func ended(ctx context.Context, tell *audience.Teller, out audience.Outcome) error {
	out.Err = exit.Explain(ctx, out.Err)
	if err := tell.End(ctx, out); err != nil && out.Err == nil {
		out.Err = exit.FollowUpError{Err: err}
	}
	if out.Err != nil {
		return exit.ReportedError{Err: out.Err}
	}
	return nil
}

// snapshot makes the snapshot. A repository that is not there it makes no sooner than the dump has
// begun to come: a run that cannot succeed must not leave one behind, where a typo says that there
// is one or to be made anew with another password.
func (b *backup) snapshot(ctx context.Context) (restic.Summary, error) {
	b.sweep()
	b.tell.Phase(event.Survey)
	survey, err := b.source.Survey(ctx)
	if err != nil {
		return restic.Summary{}, err
	}
	b.expected = survey.Bytes
	tags := append(slices.Clone(b.tags), sourceTag+cmp.Or(survey.Source, unknownSource))
	if survey.Empty {
		tags = append(tags, emptyTag)
	}
	if b.parent != "" {
		tags = append(tags, parentTag+b.parent)
	}
	repo := &repository{backup: b}
	// A stream can be taken back: restic may tell as well at its beginning what is wrong with a
	// repository.
	if b.job.backup.Mode == "spool" || !b.restic.Settled(ctx) {
		if err := repo.look(ctx); err != nil {
			return restic.Summary{}, err
		}
	}
	if b.job.backup.Mode == "spool" {
		return b.spooled(ctx, tags, repo)
	}
	summary, err := b.streamed(ctx, tags, repo)
	var consume *stream.ConsumeError
	if b.job.backup.Mode == "stream" || ctx.Err() != nil || !errors.As(err, &consume) || !worthTryingAgain(err) || repo.missing {
		return summary, err
	}
	return b.fallBack(ctx, tags, repo, err)
}

// unlock removes the locks of runs that were killed, once they are dead for certain. They hinder no
// backup, but whatever wants the repository for itself. Forgetting is such, and does it by itself.
func (b *backup) unlock(ctx context.Context) {
	if ctx.Err() != nil || !b.retention.policy.IsZero() {
		return
	}
	if err := b.restic.RemoveDeadLocks(ctx); err != nil {
		b.tell.Warn("locks of killed runs may be left", "error", err)
	}
}

// streamed hands the dump to restic as it is read. Nothing is written to disk, unless the store
// does not take it. The database is not held while a lock of the repository is waited for, which
// may take half an hour after a prune was killed: the dump then begins anew.
func (b *backup) streamed(ctx context.Context, tags []string, repo *repository) (restic.Summary, error) {
	patient, last := *b.restic, false
	for deadline := time.Now().Add(b.restic.LockWait); ; {
		var summary restic.Summary
		_, err := b.pipe().Pipe(ctx, b.dump(event.Dump), func(ctx context.Context, r io.Reader) (err error) {
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
		b.tell.Anew()
	}
}

// dump writes the dump, in a phase of its own, and tells how much of it has passed.
func (b *backup) dump(phase event.PhaseName) func(context.Context, io.Writer) error {
	return audience.Counted(b.tell, func(ctx context.Context, w io.Writer) error {
		b.held.tables = nil
		b.tell.Passing(event.Phase{Name: phase, Total: b.expected, Estimated: true})
		return b.source.Dump(ctx, w)
	})
}

// options are those of a snapshot that bears these tags.
func (b *backup) options(tags []string) restic.BackupOptions {
	return restic.BackupOptions{Host: b.host, Filename: b.file, Tags: tags, Compression: b.engine.compression}
}

// forget applies the retention policy to this job's snapshots, of which the run has made one. What
// it has to leave undone the next run makes up for: the policy looks at all that is there.
func (b *backup) forget(ctx context.Context, made string) error {
	if b.retention.policy.IsZero() {
		b.tell.Note("nothing is ever forgotten: no KEEP_* is set", "job", b.name)
		return nil
	}
	b.tell.Phase(event.Forget)
	done, err := retainer{job: b.job, environment: b.environment, restic: b.restic, tell: b.tell, made: made}.apply(ctx)
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	b.tell.Emit(keptOf(done))
	b.tell.Note("retention applied", "job", b.name, "policy", b.retention.policy.String(),
		"kept", len(done.stay), "forgotten", len(done.gone), "pruned", done.pruned)
	return nil
}

// keptOf is what there is of a job's snapshots.
func keptOf(done retained) event.Kept {
	kept := event.Kept{Snapshots: len(done.stay)}
	if done.present > 0 { // those of the future come first
		kept.Newest, kept.Oldest = done.stay[len(done.stay)-done.present].Time, done.stay[len(done.stay)-1].Time
	}
	return kept
}

// shortID is a snapshot's ID as restic shows it.
func shortID(id string) string { return id[:min(len(id), 8)] }

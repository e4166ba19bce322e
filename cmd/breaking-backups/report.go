package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/notify"
)

// Bounds on telling the webhook of a run: all tries together, and the little time there is once a signal has come and
// whoever sent it waits for the program to end.
const (
	notifyTime            = 2 * time.Minute
	notifyTimeInterrupted = 4 * time.Second
)

// notify tells the webhook how a run went. It goes on where ctx is cancelled, as that is worth telling too.
func (b *backup) notify(ctx context.Context, out outcome) error {
	return deliver(ctx, b.cfg, newReport(ctx, b.cfg, b.job.host, out))
}

func deliver(ctx context.Context, cfg *config, report notify.Report) error {
	if cfg.webhook == nil {
		return nil
	}
	lingers, cancelLingering := lingering(ctx, notifyTimeInterrupted)
	defer cancelLingering()
	sending, cancel := context.WithTimeout(lingers, notifyTime)
	defer cancel()
	err := cfg.webhook.Send(sending, report)
	if err != nil && lingers.Err() != nil {
		return fmt.Errorf("%w, having waited %s more: %w", context.Cause(ctx), notifyTimeInterrupted, err)
	}
	return err
}

// lingering is a context that lives on for a while after ctx is cancelled, and ends with its cause.
func lingering(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	lingers, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(more)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-lingers.Done():
		}
	})
	return lingers, func() {
		stop()
		cancel(nil)
	}
}

// newReport is what the webhook is told. A run whose snapshot is safe but whose forget or prune failed is told as
// failed, with the exit code 3, the snapshot's figures and what went wrong: who only reads the webhook must learn of
// it.
func newReport(ctx context.Context, cfg *config, host string, out outcome) notify.Report {
	report := notify.Report{
		Status:     notify.Success,
		Message:    "Backup geslaagd",
		StartedAt:  out.started,
		FinishedAt: out.finished,
		Duration:   out.finished.Sub(out.started),

		Repository: cfg.shownRepository(),
		DBType:     cfg.Job.Type,
		Host:       host,
		Tags:       cfg.tags,

		SnapshotID:          out.summary.SnapshotID,
		DataAddedBytes:      out.summary.DataAdded,
		TotalBytesProcessed: out.summary.TotalBytesProcessed,
		ResticDuration:      time.Duration(out.summary.TotalDuration * float64(time.Second)),
		FilesNew:            out.summary.FilesNew,
		FilesChanged:        out.summary.FilesChanged,
		FilesUnmodified:     out.summary.FilesUnmodified,
	}
	if out.err != nil {
		report.Status = notify.Failed
		report.Message = fmt.Sprintf("Backup mislukt (exitcode=%d)", exitCode(ctx, out.err))
		report.Error = cfg.redact.String(out.err.Error())
	}
	return report
}

// misconfigured tells the webhook of a configuration that no run can begin with, provided that what is wrong leaves
// the webhook known.
func (a *app) misconfigured(ctx context.Context, cfg *config, err error) error {
	now := time.Now()
	report := newReport(ctx, cfg, cfg.Job.Host, outcome{started: now, finished: now, err: err})
	if failed := deliver(ctx, cfg, report); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

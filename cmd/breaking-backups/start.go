package main

import (
	"context"
	"math/rand/v2"
	"time"
)

func (a *app) start() command {
	return command{
		use:   "start",
		short: "Make backups on a schedule, until told to end",
		long: `CRON_SCHEDULE or BACKUP_INTERVAL_SECONDS says when; with neither, one backup is made and the program exits with its
exit code. Runs never overlap: one that is due while another goes on is missed, and logged. A run that fails is logged, told to the
webhook, and does not end the program. SIGTERM and SIGINT end it within 10 seconds, a running backup without a snapshot.`,
		example: `  CRON_SCHEDULE='30 2 * * *' TZ=Europe/Amsterdam breaking-backups
  breaking-backups start --backup-interval-seconds 3600`,
		groups: []string{"job", "database", "mysql", "mongo", "selection", "repository", "backup", "retention", "schedule", "webhook", "log"},
		needs:  jobAndRepository,
		logs:   true,
		run: func(ctx context.Context, cfg *config) error {
			b, err := a.newBackup(ctx, cfg)
			if err != nil {
				return err
			}
			if cfg.schedule == nil {
				return b.run(ctx)
			}
			l := loop{
				schedule: cfg.schedule,
				atOnce:   cfg.RunOnStart || cfg.Cron == "",
				jitter:   time.Duration(cfg.Jitter),
				log:      a.log,
				run:      func(ctx context.Context) { _ = b.run(ctx) }, // it has logged its error and told the webhook
			}
			return l.loop(ctx)
		},
	}
}

// loop runs something on a schedule. Runs follow the wall clock, so a machine that slept or whose clock was set runs
// when its clock says so.
type loop struct {
	schedule schedule
	atOnce   bool          // begin with a run, from which an interval is counted
	jitter   time.Duration // a run begins up to so much after it is due
	log      logger
	run      func(context.Context)
}

// loop returns when ctx ends, with its cause. A run that goes on then is waited for.
func (l loop) loop(ctx context.Context) error {
	due := time.Now()
	if !l.atOnce {
		due = l.schedule.Next(due)
		l.log.Info("waiting for the first run", "due", due)
	}
	for {
		begin := due
		if l.jitter > 0 {
			begin = begin.Add(rand.N(l.jitter))
		}
		if sleepUntil(ctx, begin); ctx.Err() == nil {
			l.run(ctx)
		}
		if ctx.Err() != nil {
			l.log.Info("ended", "reason", context.Cause(ctx))
			return reportedError{context.Cause(ctx)}
		}
		due = l.next(due)
	}
}

// next is when the run after the one that was due then is due. Those that became due in the meantime are missed.
func (l loop) next(due time.Time) time.Time {
	now, missed := time.Now(), 0
	first := l.schedule.Next(due)
	next := first
	for ; !next.After(now); next = l.schedule.Next(next) {
		missed++
	}
	if missed > 0 {
		l.log.Warn("runs missed, because the one before still went on or the machine slept", "missed", missed, "first", first, "next", next)
	} else {
		l.log.Info("waiting for the next run", "due", next)
	}
	return next
}

// sleepUntil waits for the wall clock to show t, or for ctx to end. Timers count time awake, which is another thing
// where machines sleep and clocks are set, so it looks at the clock again every minute.
func sleepUntil(ctx context.Context, t time.Time) {
	t = t.Round(0)
	for {
		left := t.Sub(time.Now().Round(0))
		if left <= 0 {
			return
		}
		timer := time.NewTimer(min(left, time.Minute))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

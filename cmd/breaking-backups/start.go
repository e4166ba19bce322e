package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

func (a *app) start() command {
	return command{
		use:   "start",
		short: "Make backups on a schedule, until told to end",
		long: `CRON_SCHEDULE or BACKUP_INTERVAL_SECONDS says when; with neither, one backup is made and the program exits with its
exit code. Runs never overlap: one that is due while another goes on is missed, and logged. A run that fails is logged, told to the
webhook, and does not end the program. SIGTERM and SIGINT end it within 10 seconds, a running backup without a snapshot.

JOBS names several jobs, each with a schedule of its own or the shared one; those that use one repository take turns.
VERIFY_SCHEDULE and CHECK_SCHEDULE have drills and restic check made, and with HTTP_ADDR it says how all is.`,
		example: `  CRON_SCHEDULE='30 2 * * *' TZ=Europe/Amsterdam breaking-backups
  breaking-backups start --backup-interval-seconds 3600`,
		groups: []string{"jobs", "job", "postgres", "selection", "mysql", "mongo", "repository", "backup", "retention", "schedule", "webhook", "http", "push", "drill", "log"},
		needs:  jobAndRepository,
		logs:   true,
		run: func(ctx context.Context, cfg *config) error {
			var jobs []job
			for _, one := range cfg.jobs {
				j, err := newJob(one)
				if err != nil {
					return err
				}
				jobs = append(jobs, j)
			}
			return startAll(ctx, jobs, a.environment(cfg), cfg.HTTP, cfg.Push)
		},
	}
}

// startAll does for all jobs what their timetables say, until ctx ends; of those without a schedule
// it makes one backup each. That all can be made is looked at before the first is due.
func startAll(ctx context.Context, jobs []job, env environment, web httpSettings, push pushSettings) error {
	if err := lookAtAll(ctx, jobs, env); err != nil {
		return err
	}
	if !slices.ContainsFunc(jobs, func(j job) bool { return len(j.plans()) > 0 }) {
		err := runAll(ctx, jobs, env)
		env.push(ctx, push, jobs)
		return err
	}
	asks := map[string]chan struct{}{}
	for _, j := range jobs {
		asks[j.name] = make(chan struct{}, 1)
		env.board.Add(j.known())
	}
	stop, err := env.serve(ctx, web, jobs, asks)
	if err != nil {
		return err
	}
	defer stop()
	var loops sync.WaitGroup // each ends when ctx does
	for _, j := range jobs {
		for _, p := range j.plans() {
			runner := schedule.Runner{
				Timetable: p.timetable, Log: env.of(j).scheduleLog(),
				Run: func(ctx context.Context) { env.of(j).inTurn(ctx, j, p.do) },
				Due: func(at time.Time) { env.board.Due(j.name, p.kind, at) },
			}
			if p.kind == event.Backup {
				runner.Asked = asks[j.name]
			}
			loops.Go(func() { _ = runner.Loop(ctx) })
		}
		if j.timetable.Times == nil {
			loops.Go(func() { env.of(j).whenAsked(ctx, j, asks[j.name]) })
		}
	}
	loops.Wait()
	return exit.ReportedError{Err: context.Cause(ctx)}
}

// lookAtOnce is how many jobs are looked at at once: each takes two short runs of restic.
const lookAtOnce = 4

// lookAtAll makes sure that backups of the jobs can be made at all, as far as that can be told
// without contacting anybody but whom a password command asks.
func lookAtAll(ctx context.Context, jobs []job, env environment) error {
	looking, ctx := errgroup.WithContext(ctx)
	looking.SetLimit(lookAtOnce)
	for _, j := range jobs {
		looking.Go(func() error {
			_, err := newBackup(ctx, j, env, nil)
			if err != nil {
				return env.of(j).named(err)
			}
			return nil
		})
	}
	return looking.Wait()
}

// whenAsked makes a backup of a job without a schedule, and then one whenever it is asked for.
func (e environment) whenAsked(ctx context.Context, j job, asked <-chan struct{}) {
	for {
		e.inTurn(ctx, j, j.backUp())
		select {
		case <-asked:
		case <-ctx.Done():
			return
		}
	}
}

// runAll makes one backup of each job, one after the other.
func runAll(ctx context.Context, jobs []job, env environment) error {
	var all []error
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		if err := env.of(j).runOnce(ctx, j); err != nil {
			all = append(all, err)
		}
	}
	if err := context.Cause(ctx); err != nil && len(all) == 0 {
		return err
	}
	return worst(all)
}

// runOnce makes a backup of a job, or of each database that it stands for.
func (e environment) runOnce(ctx context.Context, j job) error {
	e.board.Add(j.known())
	if j.databases != nil {
		return backUpDatabases(ctx, j, e)
	}
	b, err := newBackup(ctx, j, e, nil)
	if err != nil {
		return e.named(err)
	}
	return b.run(ctx)
}

// A plan is something that is done for a job on a schedule.
type plan struct {
	kind      event.Kind
	timetable schedule.Timetable
	text      string // for people: when
	do        func(context.Context, job, environment) error
}

// plans are those of the job: its backups, and what else it has a schedule for.
func (j job) plans() []plan {
	var all []plan
	if j.timetable.Times != nil {
		all = append(all, plan{event.Backup, j.timetable, j.when, j.backUp()})
	}
	return append(all, j.drills()...)
}

// backUp makes a backup of the job as its settings are by then, or of each database that it stands
// for.
func (j job) backUp() func(context.Context, job, environment) error {
	if j.databases != nil {
		return backUpDatabases
	}
	return backUpAnew
}

// inTurn has something done for a job once it is its turn at the repository. What fails has told
// its error.
func (e environment) inTurn(ctx context.Context, j job, do func(context.Context, job, environment) error) {
	e.board.Queue(j.name, true)
	end := e.turns.take(ctx, j.store.shown)
	e.board.Queue(j.name, false)
	if end == nil {
		return
	}
	defer end()
	_ = do(ctx, j, e)
}

// named is an error with the job's name where there are several.
func (e environment) named(err error) error {
	if e.job == "" || errors.As(err, new(*jobError)) {
		return err
	}
	return &jobError{e.job, err}
}

// failed tells of a run that could not begin: of a backup to whom the settings name.
func failed(ctx context.Context, j job, env environment, kind event.Kind, started time.Time, err error) error {
	if kind != event.Backup {
		j.listeners = nil
	}
	tell := env.teller(j.run(kind))
	tell.Subscribe(env.hearers(j.listeners))
	return ended(ctx, tell, audience.Outcome{Started: started, Err: err})
}

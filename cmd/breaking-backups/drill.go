package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// drills are the job's plans of drills and of checks.
func (j job) drills() []plan {
	var all []plan
	if times := j.drill.schedule; times != nil {
		do := drillAnew
		if j.databases != nil {
			do = drillDatabases
		}
		all = append(all, plan{event.Drill, schedule.Timetable{Times: times}, j.drill.when(j.drill.Schedule), do})
	}
	if times := j.drill.checks; times != nil {
		all = append(all, plan{event.Check, schedule.Timetable{Times: times}, j.drill.when(j.drill.CheckSchedule), checkAnew})
	}
	return all
}

// A drill restores a snapshot of a job into a database made for it, reads that back, holds it
// against the dump's manifest, asks what the user wants asked, and drops it. It is a command over a
// source, a loader and the repository, and knows nothing of either.
type drill struct {
	job
	environment
	at   drillTarget
	opt  drillOptions
	tell *audience.Teller

	restic   *restic.Client
	snapshot restic.Snapshot
	from     placed         // the dump, once it was opened
	contents *dump.Contents // of the dump; nil: it does not say where its parts are

	mu       sync.Mutex // of warnings, which come from several goroutines
	evidence evidence
}

// warn tells of what a restore, or the reading back, leaves out, and keeps it as evidence.
func (d *drill) warn(text string) {
	d.tell.WarnOfDump(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.evidence.warned(d.redact.String(text))
}

// drillOptions are what a command line says of a drill.
type drillOptions struct{ snapshot string }

// drillAnew is a drill of a schedule: of the job as its settings are by now.
func drillAnew(ctx context.Context, j job, env environment) error {
	now, err := j.anew(ctx, env, event.Drill)
	if err != nil {
		return err
	}
	_, err = runDrill(ctx, now, env, drillOptions{snapshot: latestSnapshot})
	return err
}

// drillDatabases makes a drill of each database that the job stands for.
func drillDatabases(ctx context.Context, j job, env environment) error {
	return eachDatabase(ctx, j, env, event.Drill, func(ctx context.Context, child job, env environment) error {
		_, err := runDrill(ctx, child, env, drillOptions{snapshot: latestSnapshot})
		return err
	})
}

// runDrill makes a drill and tells all who listen how it went, and returns what it has found. The
// error it returns has been told: an UntriedError where the drill says nothing of the snapshot, any
// other where that is not what it ought to be.
func runDrill(ctx context.Context, j job, env environment, opt drillOptions) (evidence, error) {
	d := &drill{job: j, environment: env, opt: opt, tell: env.teller(j.run(event.Drill))}
	d.tell.Subscribe(env.hearers(nil))
	d.tell.Emit(event.Begun{})
	d.evidence = newEvidence(j)
	making, cancel := bounded(ctx, "VERIFY_TIMEOUT_SECONDS", j.drill.Timeout)
	defer cancel()
	err := exit.Explain(ctx, blame(making, d.run(making)))
	if err != nil && (making.Err() != nil || untriable(err)) {
		err = exit.UntriedError{Err: err}
	}
	if wrong := d.evidence.wrong(); wrong != nil && ctx.Err() == nil { // whatever could not be tried besides
		err = alsoUntried(wrong, err)
	}
	d.evidence.end(d.redact, err)
	if d.restic != nil && ctx.Err() == nil {
		d.keep(ctx)
	}
	return d.evidence, ended(ctx, d.tell, audience.Outcome{Started: d.evidence.Began, Drill: d.evidence.drilled(), Err: err})
}

// alsoUntried is what is wrong, with why not all could be tried, if that is so.
func alsoUntried(wrong, err error) error {
	if err == nil {
		return wrong
	}
	return fmt.Errorf("%w; and not all could be tried: %s", wrong, err)
}

// run makes the drill. What it finds it puts down as evidence; its error is why it could not go on.
func (d *drill) run(ctx context.Context) error {
	var err error
	if d.at, err = d.target(); err != nil {
		return exit.UntriedError{Err: err}
	}
	if d.engine.rowsAlone {
		return exit.UntriedError{Err: errRowsAlone}
	}
	if d.restic, err = d.checkedRestic(ctx, d.store, d.tell); err != nil {
		return exit.UntriedError{Err: err}
	}
	if d.snapshot, err = findSnapshot(ctx, d.restic, d.job, d.opt.snapshot, time.Time{}, d.tell); err != nil {
		return exit.UntriedError{Err: err}
	}
	d.evidence.of(d.snapshot)
	scratch, err := d.at.engine().scratch(d.job.drill.Prefix, d.warn)
	if err != nil {
		return exit.UntriedError{Err: err}
	}
	defer scratch.Close()
	swept, err := scratch.Sweep(ctx)
	for _, name := range swept {
		d.tell.Note("dropped what a drill that was killed has left", "database", name)
	}
	if err != nil {
		d.warn("what a drill that was killed has left stays: " + err.Error())
	}
	databases, err := d.databases(ctx)
	if err != nil {
		return err
	}
	for _, database := range databases {
		if err := d.prove(ctx, scratch, database); err != nil {
			return err
		}
	}
	return nil
}

var errRowsAlone = errors.New("drill: the dumps of the job have rows and no definitions, so that nothing makes their tables")

// databases are those of the dump that are proven one after the other; an empty name is that of a
// dump of one.
func (d *drill) databases(ctx context.Context) ([]string, error) {
	if err := d.readContents(ctx); err != nil {
		return nil, err
	}
	if !d.engine.several {
		return []string{""}, nil
	}
	return d.engine.within(d.contents), nil
}

// prove restores one database into a scratch database, and drops that again, whatever became of it.
func (d *drill) prove(ctx context.Context, scratch dump.Scratch, database string) (err error) {
	var head []byte
	if d.engine.headed {
		if head, err = d.head(ctx, database); err != nil {
			return err
		}
	}
	name, err := scratch.Create(ctx, head)
	if err != nil {
		return exit.UntriedError{Err: fmt.Errorf("drill: %w", err)}
	}
	d.evidence.Into = append(d.evidence.Into, name)
	defer func() {
		dropping, cancel := exit.Lingering(ctx, signalTime)
		defer cancel()
		if failed := scratch.Drop(dropping, name); failed != nil {
			d.tell.Warn("the scratch database stays until the next drill", "database", name, "error", failed)
		}
	}()
	said, err := d.restore(ctx, name, database)
	if err != nil {
		return err
	}
	copied, err := d.readBack(ctx, name)
	if err != nil {
		return err
	}
	d.compare(said, copied, database, name)
	if len(said) == 0 {
		d.warn("the dump holds no table with rows: there was nothing to hold against it")
	}
	return d.ask(ctx, scratch, name)
}

// signalTime is what is left, once a signal has come, for what a run must not leave behind.
const signalTime = 4 * time.Second

package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// A job with JOB_PER_DATABASE stands for a job of each database of its server. They are found anew
// at each run: what is new is backed up, and of what is gone the snapshots stay, as nobody has said
// that they may go.

// perDatabase has the job stand for each database of its server.
func (j *job) perDatabase(cfg *config, src source) {
	j.name = cmp.Or(cfg.Job.Name, cfg.Job.Type)
	parent := j.name
	j.databases = src.ListDatabases
	j.child = func(database string) (job, error) { return newJob(cfg.forDatabase(parent, database)) }
}

// forDatabase is the configuration of the job of one database, once more as well.
func (cfg *config) forDatabase(parent, database string) *config {
	one := *cfg
	one.parent = parent
	one.again = func() (*config, error) {
		now, err := cfg.again()
		if err != nil {
			return now, err
		}
		return now.forDatabase(parent, database), nil
	}
	one.Job.PerDatabase = false
	one.Job.Name = childName(parent, database)
	one.Postgres.conn = map[string]string{}
	maps.Copy(one.Postgres.conn, cfg.Postgres.conn)
	kinds()[cfg.Job.Type].only(&one, database)
	one.jobs = []*config{&one}
	return &one
}

// childName is the name of the job of a database, whose own may hold slashes.
func childName(parent, database string) string { return parent + "-" + url.PathEscape(database) }

// ofDatabase is the configuration of one database's job by the job's name, and whether cfg stands
// for such.
func (cfg *config) ofDatabase(name string) (*config, bool) {
	parent := cmp.Or(cfg.Job.Name, cfg.Job.Type)
	escaped, ok := strings.CutPrefix(name, parent+"-")
	database, err := url.PathUnescape(escaped)
	if !ok || err != nil || database == "" || !cfg.Job.PerDatabase || kinds()[cfg.Job.Type].only == nil {
		return nil, false
	}
	return cfg.forDatabase(parent, database), true
}

var errNoDatabases = errors.New("there is no database to back up: none that the settings take, or none that the user may see")

// backUpDatabases makes a backup of each database that the job stands for, one after the other. One
// that fails leaves the others alone.
func backUpDatabases(ctx context.Context, j job, env environment) error {
	return eachDatabase(ctx, j, env, event.Backup, func(ctx context.Context, child job, env environment) error {
		b, err := newBackup(ctx, child, env, nil)
		if err != nil {
			return failed(ctx, child, env, event.Backup, time.Now(), err)
		}
		return b.run(ctx)
	})
}

// eachDatabase does something with the job of each database that a job stands for.
func eachDatabase(ctx context.Context, j job, env environment, kind event.Kind, do func(context.Context, job, environment) error) error {
	started := time.Now()
	now, err := j.anew(ctx, env, kind)
	if err != nil {
		return err
	}
	names, err := now.databases(ctx)
	if err == nil && len(names) == 0 {
		err = errNoDatabases
	}
	if err != nil {
		return failed(ctx, now, env, kind, started, err)
	}
	env.found(ctx, now, kind, started)
	var children []job
	var all []error
	for _, name := range names {
		child, err := now.child(name)
		if err != nil {
			all = append(all, failed(ctx, child, env, kind, started, err))
			continue
		}
		children = append(children, child)
	}
	env.board.Replace(now.name, known(children))
	for _, child := range children { // each waits for those before it
		env.board.Queue(child.name, true)
		defer env.board.Queue(child.name, false)
	}
	for _, child := range children {
		if ctx.Err() != nil {
			break
		}
		env.board.Queue(child.name, false)
		if err := do(ctx, child, env.of(child)); err != nil {
			all = append(all, &jobError{child.name, err})
		}
	}
	if err := context.Cause(ctx); err != nil && len(all) == 0 {
		return exit.ReportedError{Err: err}
	}
	return worst(all)
}

// found has the board know that the databases of a job could be looked for.
func (e environment) found(ctx context.Context, j job, kind event.Kind, started time.Time) {
	tell := audience.NewTeller(j.run(kind), e.redact, nil, hint)
	tell.Subscribe([]audience.Listener{e.board})
	_ = tell.End(ctx, audience.Outcome{Started: started}) // it cannot fail
}

// eachStored does something with the job, or with that of each database it stands for of which
// there are snapshots.
func (j job) eachStored(ctx context.Context, client *restic.Client, do func(job) error) error {
	if j.databases == nil {
		return do(j)
	}
	all, err := client.Snapshots(ctx, restic.Filter{Host: j.host})
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range j.databasesIn(all) {
		child, err := j.child(name)
		if err == nil {
			err = do(child)
		}
		if err != nil {
			failed = append(failed, &jobError{childName(j.name, name), err})
		}
	}
	return worst(failed)
}

// databasesIn are the databases that the job stands for of which there are snapshots among these.
// Their names alone would not do: other jobs may bear names that begin alike.
func (j job) databasesIn(all []restic.Snapshot) []string {
	var names []string
	for _, s := range all {
		if name, ok := strings.CutPrefix(jobOf(s), j.name+"-"); ok && s.Host == j.host && slices.Contains(s.Tags, parentTag+j.name) {
			if database, err := url.PathUnescape(name); err == nil && !slices.Contains(names, database) {
				names = append(names, database)
			}
		}
	}
	slices.Sort(names)
	return names
}

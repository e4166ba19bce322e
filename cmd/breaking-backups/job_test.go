//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/metrics"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// runsOf is a listener that holds that all it hears is of one job, and keeps how its runs ended.
type runsOf struct {
	t   *testing.T
	job string

	mu    sync.Mutex
	ended []event.Ended
}

func (r *runsOf) Hear(_ context.Context, e event.Event) error {
	if e.Run.Job != r.job {
		r.t.Errorf("who listens to %s hears of %s", r.job, e.Run.Job)
	}
	if ended, ok := e.What.(event.Ended); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, ended)
	}
	return nil
}

// Two jobs of one process back up at once, each its own database into its own repository, with its
// own retention, and each is told to its own listeners.
func TestTwoJobsInOneProcess(t *testing.T) {
	t.Parallel()
	pg, binary := servers.Postgres(t), servers.Restic(t)
	env := environment{log: logger{Logger: slog.New(slog.DiscardHandler)}, redact: secret.NewRedactor(nil), zone: time.UTC, locks: new(restic.LockHistory), turns: new(turns), board: status.NewBoard(), meter: metrics.New(status.NewBoard(), "test")}
	var jobs []job
	var heard []*runsOf
	for i, keep := range []string{"KEEP_LAST=1", "KEEP_LAST=unlimited"} {
		db, dir := pg.CreateDB(t), t.TempDir()
		pg.Psql(t, db, fmt.Sprintf("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000 * %d) i", i+1))
		name := fmt.Sprintf("job-%d", i)
		cfg, err := loadConfig(append(
			repositoryVars(dir, binary), "DB_TYPE=postgres", "PGDATABASE="+pg.DSN(db), "JOB_NAME="+name, "RESTIC_HOST=db", "PATH=/usr/bin:/bin", "HOME="+dir, keep,
		), nil, jobAndRepository)
		if err != nil {
			t.Fatal(err)
		}
		j, err := newJob(cfg)
		if err != nil {
			t.Fatal(err)
		}
		listens := &runsOf{t: t, job: name}
		j.listeners = []audience.Listener{listens}
		jobs, heard = append(jobs, j), append(heard, listens)
	}
	for range 2 {
		var running sync.WaitGroup
		for _, j := range jobs {
			running.Go(func() {
				b, err := newBackup(t.Context(), j, env, nil)
				if err == nil {
					err = b.run(t.Context())
				}
				if err != nil {
					t.Errorf("%s: %v", j.name, err)
				}
			})
		}
		running.Wait()
	}
	for i, j := range jobs {
		client, err := env.checkedRestic(t.Context(), j.store, env.teller(event.Run{}))
		if err != nil {
			t.Fatal(err)
		}
		found, err := client.Snapshots(t.Context(), restic.Filter{})
		if err != nil || len(found) != i+1 {
			t.Errorf("%s: %d snapshots, %v, want %d", j.name, len(found), err, i+1)
		}
		for _, s := range found {
			if !j.filter().Matches(s) {
				t.Errorf("%s: its repository has %s of %s", j.name, filepath.Join(s.Paths...), s.Host)
			}
		}
		if ended := heard[i].ended; len(ended) != 2 || !ended[1].Safe || ended[1].Error != "" || ended[1].Snapshot.ID == ended[0].Snapshot.ID {
			t.Errorf("%s: its listener hears %+v", j.name, ended)
		}
	}
}

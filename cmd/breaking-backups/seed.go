package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/restic"
)

// A seeding has the board know what the repositories hold: a process that has just begun has made
// no backup, and is healthy if there are good ones.
type seeding struct {
	environment
	jobs  []job
	begun atomic.Bool // each job was looked for once

	mu          sync.Mutex
	undescribed []job // of whose backups nobody has looked what they hold
}

// seedAgain is how long after a failure the repository is asked once more; and how long it may
// take.
const (
	seedAgain  = time.Minute
	seedTime   = 5 * time.Minute
	seedAtOnce = 4
)

func (e environment) newSeeding(jobs []job) *seeding { return &seeding{environment: e, jobs: jobs} }

// ready is nil once each repository was asked once, and else why not all is known.
func (s *seeding) ready() error {
	if s.begun.Load() {
		return nil
	}
	return errSeeding
}

// run seeds the board, those jobs whose repository does not answer again and again, until ctx ends.
func (s *seeding) run(ctx context.Context) {
	defer s.describe(ctx)
	for left := s.jobs; len(left) > 0 && ctx.Err() == nil; {
		var mu sync.Mutex
		var failed []job
		var seeding errgroup.Group
		seeding.SetLimit(seedAtOnce) // one that stands still holds up few
		for _, j := range left {
			seeding.Go(func() error {
				if err := s.seed(ctx, j); err != nil && ctx.Err() == nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, j)
				}
				return nil
			})
		}
		_ = seeding.Wait() // it has none
		s.begun.Store(true)
		if left = failed; len(left) > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(seedAgain):
			}
		}
	}
}

// redacted is an error without secrets, as anybody may read it.
func (s *seeding) redacted(err error) error { return errors.New(s.redact.String(err.Error())) }

// seed reads what the repository holds of a job. One that is not there yet holds nothing.
func (s *seeding) seed(ctx context.Context, j job) error {
	ctx, cancel := context.WithTimeout(ctx, seedTime)
	defer cancel()
	client, err := s.checkedRestic(ctx, j.store, s.teller(event.Run{}))
	var all []restic.Snapshot
	if err == nil {
		all, err = client.Snapshots(ctx, restic.Filter{Host: j.host})
	}
	if errors.Is(err, restic.ErrNoRepository) {
		all, err = nil, nil
	}
	if err != nil {
		s.board.Seed(j.name, nil, nil, s.redacted(err))
		return err
	}
	if j.databases == nil {
		s.put(j, all)
		return nil
	}
	s.board.Seed(j.name, nil, nil, nil)
	var children []status.Job
	var of []job
	for _, name := range j.databasesIn(all) {
		if child, err := j.child(name); err == nil {
			children, of = append(children, child.known()), append(of, child)
		}
	}
	s.board.Replace(j.name, children)
	for _, child := range of {
		s.put(child, all)
	}
	return nil
}

// put gives the board a job's snapshots and drills.
func (s *seeding) put(j job, all []restic.Snapshot) {
	var backups []status.Backup
	var drills []status.Drill
	for _, one := range all {
		switch {
		case j.notes().Matches(one):
			drills = append(drills, drillOf(one))
		case j.filter().Matches(one):
			backups = append(backups, status.Backup{
				ID: one.ID, At: one.Time, Bytes: one.Summary.TotalBytesProcessed, Added: one.Summary.DataAdded, Stored: one.Summary.DataAddedPacked,
				Duration: one.Summary.BackupEnd.Sub(one.Summary.BackupStart), Empty: slices.Contains(one.Tags, emptyTag),
			})
		}
	}
	if j.engine.sql {
		s.mu.Lock()
		s.undescribed = append(s.undescribed, j)
		s.mu.Unlock()
	}
	slices.SortFunc(backups, func(a, b status.Backup) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	s.board.Seed(j.name, backups, drills, nil)
}

// mostDescribed is of how many backups of a job it is read what they hold: two runs of restic each.
const mostDescribed = 10

// describe has the board know what the newest backups hold, by their manifests, one after the
// other. One that cannot be read is passed over: it is for people to look at, and for nothing else.
func (s *seeding) describe(ctx context.Context) {
	for _, j := range s.undescribed {
		state, _ := s.board.Named(j.name)
		client, err := s.checkedRestic(ctx, j.store, s.teller(event.Run{}))
		if err != nil {
			continue
		}
		for i, b := range slices.Backward(state.Backups) {
			if ctx.Err() != nil || i < len(state.Backups)-mostDescribed {
				break
			}
			if b.Described {
				continue
			}
			reading, cancel := context.WithTimeout(ctx, seedTime)
			if tables, err := tablesOf(reading, client, b.ID, j.path()); err == nil {
				s.board.Describe(j.name, b.ID, tables)
			}
			cancel()
		}
	}
}

// tablesOf are the tables of a snapshot, as its dump's manifest tells them.
func tablesOf(ctx context.Context, client *restic.Client, id, path string) ([]event.Table, error) {
	_, contents, err := snapshotContents(ctx, client, id, path)
	if err != nil {
		return nil, err
	}
	tables := make([]event.Table, len(contents.Tables))
	for i, t := range contents.Tables {
		tables[i] = event.Table{Name: t.Name, Rows: t.Rows}
	}
	return tables, nil
}

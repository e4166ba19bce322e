package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/retention"
)

// noSnapshotError says that what was asked for is not in the repository.
type noSnapshotError struct {
	what   string    // snapshot 4bba301e, job app on host db
	hosts  []string  // others, on which the job has snapshots, as after a move to another server
	oldest time.Time // of the snapshots that there are, all later than what was asked for; zero: it does not matter
}

func (e *noSnapshotError) Error() string {
	text := e.what + ": there is no such snapshot"
	if len(e.hosts) > 0 {
		text += "; the job has snapshots on host " + strings.Join(e.hosts, ", ")
	}
	if !e.oldest.IsZero() {
		text += "; the oldest is of " + e.oldest.Format(time.RFC3339)
	}
	return text
}

// hostsOf are the hosts on which a job has snapshots. It is asked for an error, and has none of its
// own.
func hostsOf(ctx context.Context, client *restic.Client, j job) (hosts []string) {
	found, err := client.Snapshots(ctx, restic.Filter{Path: j.path()})
	if err != nil {
		return nil
	}
	for _, s := range found {
		if !slices.Contains(hosts, s.Host) {
			hosts = append(hosts, s.Host)
		}
	}
	return hosts
}

// latest is the latest of a job's snapshots, which are at least one and begin with the oldest.
func latest(found []restic.Snapshot, j job, now time.Time, tell *audience.Teller) restic.Snapshot {
	of := groupSources(found, func(restic.Snapshot) bool { return false }, now)
	if len(of.others) > 0 {
		tell.Warn("the job's snapshots are of more than one database; the latest of them all is taken, and --snapshot names another",
			"job", j.name, "host", j.host, "databases", strings.Join(of.names, ", "))
	}
	newest := found[len(found)-1]
	for _, s := range slices.Backward(found) {
		if s.Time.After(now.Add(retention.Skew)) {
			continue
		}
		if s.ID != newest.ID {
			tell.Warn("snapshots of the future are passed over: a clock was wrong when they were made, or is now; --snapshot names one",
				"job", j.name, "newest", shortID(newest.ID), "of", newest.Time, "now", now)
		}
		if slices.Contains(s.Tags, emptyTag) {
			tell.Warn("the latest snapshot is of a dump that holds nothing; --snapshot names another", "job", j.name, "snapshot", shortID(s.ID))
		}
		return s
	}
	return newest
}

// findSnapshot returns the snapshot that id names, any job's, or for latestSnapshot the latest of
// this job that is not of after notAfter, if that is a time, but none of the future while there is
// another. It has one path.
func findSnapshot(ctx context.Context, client *restic.Client, j job, id string, notAfter time.Time, tell *audience.Teller) (restic.Snapshot, error) {
	var filter restic.Filter
	if id == latestSnapshot {
		filter = j.filter()
	}
	found, err := client.Snapshots(ctx, filter)
	if err != nil {
		return restic.Snapshot{}, err
	}
	if id == latestSnapshot {
		if len(found) == 0 {
			return restic.Snapshot{}, &noSnapshotError{what: fmt.Sprintf("job %s on host %s", j.name, j.host), hosts: hostsOf(ctx, client, j)}
		}
		if oldest := found[0].Time; !notAfter.IsZero() {
			found = slices.DeleteFunc(found, func(s restic.Snapshot) bool { return s.Time.After(notAfter) })
			if len(found) == 0 {
				what := fmt.Sprintf("job %s on host %s, not after %s", j.name, j.host, notAfter.Format(time.RFC3339))
				return restic.Snapshot{}, &noSnapshotError{what: what, oldest: oldest.In(notAfter.Location())}
			}
		}
		return latest(found, j, time.Now(), tell), nil
	}
	found = slices.DeleteFunc(found, func(s restic.Snapshot) bool { return !strings.HasPrefix(s.ID, id) })
	switch {
	case len(found) == 0:
		return restic.Snapshot{}, &noSnapshotError{what: "snapshot " + id}
	case len(found) > 1:
		return restic.Snapshot{}, fmt.Errorf("snapshot %s: %d snapshots begin with this", id, len(found))
	case isNote(found[0]):
		return restic.Snapshot{}, fmt.Errorf("snapshot %s: it holds what a drill has found, and is no dump", id)
	case len(found[0].Paths) != 1:
		return restic.Snapshot{}, fmt.Errorf("snapshot %s: it holds %d paths, and so is no dump", id, len(found[0].Paths))
	}
	return found[0], nil
}

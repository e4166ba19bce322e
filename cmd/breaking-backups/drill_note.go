package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/restic"
)

// What a drill has found is kept in the job's repository, in a snapshot of its own: it is known
// after a restart and to other containers, needs no volume, and a store that only takes what is new
// takes it. The evidence is the snapshot's file; what is needed most stands in its tags, so that a
// list of snapshots tells it.
const (
	drillTag     = ourTags + "drill"
	verdictTag   = ourTags + "drill.verdict="
	provenTag    = ourTags + "drill.snapshot="
	provenOfTag  = ourTags + "drill.of="
	restoreTag   = ourTags + "drill.restore="
	drillRowsTag = ourTags + "drill.rows="
)

// mostNotes is how many drills of a job, and of each verdict, are kept in its repository.
const mostNotes = 90

const noteEnd = ".drill.json"

func (j job) noteFile() string { return j.name + noteEnd }

// notes selects the snapshots that hold what drills of the job have found.
func (j job) notes() restic.Filter {
	return restic.Filter{Host: j.host, Path: "/" + j.noteFile(), Tags: []string{drillTag}}
}

// keep puts the evidence into the repository. That it cannot be put there is no failure of the
// drill.
func (d *drill) keep(ctx context.Context) {
	text, err := json.MarshalIndent(d.evidence, "", "  ")
	if err == nil {
		_, err = d.restic.Backup(ctx, restic.BackupOptions{Host: d.host, Filename: d.noteFile(), Tags: noteTags(d.evidence)}, bytes.NewReader(append(text, '\n')))
	}
	if err != nil {
		d.tell.Warn("what the drill has found is not kept in the repository", "error", err)
		return
	}
	if d.retention.policy.IsZero() {
		return
	}
	if err := d.forgetNotes(ctx); err != nil {
		d.tell.Warn("what older drills have found stays in the repository", "error", err)
	}
}

// forgetNotes forgets the oldest of many notes, of each verdict apart: what could not be tried for
// a week pushes out no proof.
func (d *drill) forgetNotes(ctx context.Context) error {
	found, err := d.restic.Snapshots(ctx, d.notes())
	if err != nil {
		return err
	}
	var old []restic.Snapshot
	count := map[event.Verdict]int{}
	for _, s := range slices.Backward(found) {
		verdict := drillOf(s).Verdict
		if count[verdict]++; count[verdict] > mostNotes {
			old = append(old, s)
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := d.restic.Forget(ctx, snapshotIDs(old), false); !errors.Is(err, restic.ErrNoDelete) {
		return err
	}
	return nil // they stay, as all does in such a store
}

func noteTags(e evidence) []string {
	return []string{
		drillTag, verdictTag + string(e.Verdict), provenTag + e.Snapshot, provenOfTag + e.SnapshotTime.Format(time.RFC3339),
		restoreTag + strconv.FormatFloat(e.RestoreSeconds, 'f', 3, 64), fmt.Sprintf("%s%d", drillRowsTag, e.drilled().Rows),
	}
}

// isNote tells whether a snapshot holds what a drill has found, and no dump.
func isNote(s restic.Snapshot) bool { return slices.Contains(s.Tags, drillTag) }

// drillOf is the drill that a note tells of.
func drillOf(s restic.Snapshot) status.Drill {
	found := status.Drill{At: s.Time}
	for _, tag := range s.Tags {
		if value, ok := strings.CutPrefix(tag, verdictTag); ok {
			found.Verdict = event.Verdict(value)
		}
		if value, ok := strings.CutPrefix(tag, provenTag); ok {
			found.Snapshot = value
		}
		if value, ok := strings.CutPrefix(tag, provenOfTag); ok {
			found.Of, _ = time.Parse(time.RFC3339, value)
		}
		if value, ok := strings.CutPrefix(tag, restoreTag); ok {
			seconds, _ := strconv.ParseFloat(value, 64)
			found.Restore = time.Duration(seconds * float64(time.Second))
		}
		if value, ok := strings.CutPrefix(tag, drillRowsTag); ok {
			found.Rows, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	return found
}

package status

import (
	"slices"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// Exit codes of runs that somebody has interrupted: by SIGINT, by SIGTERM.
const (
	interrupted = 130
	terminated  = 143
)

// end puts down how a run went. One that failed before it could begin has only that.
func (r *record) end(e event.Event, how event.Ended) {
	kind := e.Run.Kind
	run := r.running[kind]
	if run == nil {
		run = newRunning(kind, how.Began)
		run.Waited, r.waited = r.waited, 0
	}
	delete(r.running, kind)
	run.endPhase(e.At)
	if !how.Began.IsZero() {
		run.Began = how.Began
	}
	run.Ended, run.Error, run.Hint = e.At, clip(how.Error, mostError), clip(how.Hint, mostHint)
	run.Interrupted = how.ExitCode == interrupted || how.ExitCode == terminated
	run.Safe, run.Snapshot = kind == event.Backup && how.Safe, clip(how.Snapshot.ID, mostName)
	run.Drill = boundDrilled(how.Drill)
	r.last[kind] = run.Run
	r.count(run.Run)
	r.runs = newest(append(r.runs, run.Run))
	if old := len(r.runs) - 1 - withDetails; old >= 0 {
		r.runs[old].Warnings, r.runs[old].Drill = nil, copyDrilled(r.runs[old].Drill, 1)
	}
	if run.Safe && run.Snapshot != "" {
		r.addBackup(run, how)
	}
	if run.Drill != nil {
		r.drills = append(r.drills, drill{Drill: Drill{At: e.At, Drilled: *run.Drill}, took: e.At.Sub(run.Began), own: true})
		r.boundDrills()
	}
}

func (r *record) count(run Run) {
	count := r.counts[run.Kind]
	switch {
	case run.Interrupted:
		count.Interrupted++
	case run.Failed():
		count.Failed++
	case run.Error != "":
		count.Unfollowed++
	default:
		count.Succeeded++
	}
	r.counts[run.Kind] = count
}

// Failed reports whether a run that has ended did not do what it is there for.
func (r Run) Failed() bool {
	if r.Drill != nil && r.Drill.Verdict != event.Proven {
		return true
	}
	return r.Error != "" && !r.Safe
}

// addBackup adds the backup of a run. Its time is this process's, whose age nobody changes by
// setting the clock.
func (r *record) addBackup(run *running, how event.Ended) {
	safe := run.safe
	if safe.IsZero() {
		safe = run.Ended
	}
	made := backup{
		Backup: Backup{
			ID: run.Snapshot, At: run.stored, Bytes: how.Snapshot.Bytes, Added: how.Snapshot.Added, Stored: how.Snapshot.Stored,
			Duration: how.Snapshot.Duration,
		},
		took: max(safe.Sub(run.Began), how.Snapshot.Duration), own: true,
	}
	if how.Tables != nil {
		made.describe(how.Tables, r.names())
	}
	r.backups = slices.DeleteFunc(r.backups, func(b backup) bool { return b.ID == made.ID })
	r.backups = append(r.backups, made)
	r.boundBackups()
}

// newest is the end of what is too long.
func newest[T any](all []T) []T {
	if len(all) <= mostKept {
		return all
	}
	return slices.Clone(all[len(all)-mostKept:])
}

// boundBackups forgets the oldest of too many. Those of the future say little, and must not push
// out what is of now.
func (r *record) boundBackups() {
	future := 0
	for i := len(r.backups) - 1; i >= 0; i-- {
		if !r.backups[i].future {
			continue
		}
		if future++; future > mostFuture {
			r.backups = slices.Delete(r.backups, i, i+1)
		}
	}
	r.backups = newest(r.backups)
	r.boundTables()
}

func (r *record) boundDrills() {
	r.drills = newest(r.drills)
	for i := range max(len(r.drills)-withDetails, 0) {
		r.drills[i].Wrong = slices.Clone(r.drills[i].Wrong[:min(len(r.drills[i].Wrong), 1)])
	}
}

// boundDrilled is a copy with bounds.
func boundDrilled(d *event.Drilled) *event.Drilled {
	if d == nil {
		return nil
	}
	own := copyDrilled(d, mostWrong)
	own.Verdict, own.Snapshot = event.Verdict(clip(string(d.Verdict), mostName)), clip(d.Snapshot, mostName)
	for i, text := range own.Wrong {
		own.Wrong[i] = clip(text, mostWarning)
	}
	return own
}

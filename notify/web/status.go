package web

import (
	"net/http"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// status answers what is known of all jobs.
func (s *site) status(w http.ResponseWriter, _ *http.Request) {
	now := s.now()
	problems := s.problems()
	all := statusJSON{Version: s.Version, Time: instant(now), Status: ok, Jobs: []jobJSON{}}
	for _, state := range s.Board.Jobs() {
		job := newJobJSON(state, problems[state.Name])
		if job.Status != ok {
			all.Status = unhealthy
		}
		all.Jobs = append(all.Jobs, job)
	}
	answer(w, http.StatusOK, all)
}

// details answers what is known of one job.
func (s *site) details(w http.ResponseWriter, r *http.Request) {
	state, known := s.Board.Named(r.PathValue("job"))
	if !known {
		fail(w, http.StatusNotFound, ErrNoJob.Error())
		return
	}
	all := detailsJSON{
		Version: s.Version, Time: instant(s.now()), jobJSON: newJobJSON(state, s.problems()[state.Name]),
		Snapshots: []snapshotJSON{}, Drills: []drillJSON{}, Ended: []runJSON{},
	}
	for _, b := range state.Backups {
		all.Snapshots = append(all.Snapshots, newSnapshotJSON(b))
	}
	for _, d := range state.Drills {
		all.Drills = append(all.Drills, newDrillJSON(d))
	}
	for _, run := range state.Runs {
		all.Ended = append(all.Ended, newRunJSON(run))
	}
	answer(w, http.StatusOK, all)
}

// problems are those of now, by job.
func (s *site) problems() map[string][]status.Problem {
	of := map[string][]status.Problem{}
	for _, p := range s.Board.Health(s.now()) {
		of[p.Job] = append(of[p.Job], p)
	}
	return of
}

func newJobJSON(s status.State, problems []status.Problem) jobJSON {
	j := jobJSON{
		Name: s.Name, Host: s.Host, DBType: s.DBType, Repository: s.Repository, Database: s.Database, PerDatabase: s.PerDatabase,
		Status: ok, Problems: []status.Problem{},
		KnownSince: instant(s.Began), RepositoryRead: s.Seeded, RepositoryError: s.SeedError,
		Schedules: map[string]scheduleJSON{}, QueuedSince: instant(s.QueuedAt),
		LastRuns: map[string]runJSON{}, LastError: lastError(s), Runs: map[string]countJSON{},
		Retained: retainedJSON{s.Kept.Snapshots, instant(s.Kept.Oldest), instant(s.Kept.Newest)},
	}
	if len(problems) > 0 {
		j.Status, j.Problems = unhealthy, problems
	}
	for kind, plan := range s.Plans {
		fresh := s.Fresh[kind]
		j.Schedules[string(kind)] = scheduleJSON{plan.Text, seconds(plan.Jitter), instant(s.Due[kind]), instant(fresh.Last), instant(fresh.Until)}
	}
	if s.Running != nil {
		running := newRunJSON(*s.Running)
		j.Running = &running
	}
	for kind, run := range s.Last {
		j.LastRuns[string(kind)] = newRunJSON(run)
	}
	for kind, c := range s.Counts {
		j.Runs[string(kind)] = countJSON(c)
	}
	if n := len(s.Backups); n > 0 {
		last := newSnapshotJSON(s.Backups[n-1])
		last.Tables = []tableJSON{}
		j.LastSnapshot = &last
	}
	if n := len(s.Drills); n > 0 {
		last := newDrillJSON(s.Drills[n-1])
		j.LastDrill = &last
	}
	return j
}

func lastError(s status.State) *errorJSON {
	for i := len(s.Runs) - 1; i >= 0; i-- {
		if run := s.Runs[i]; run.Error != "" && !run.Interrupted {
			return &errorJSON{string(run.Kind), instant(run.Ended), run.Error, run.Hint}
		}
	}
	return nil
}

func newRunJSON(r status.Run) runJSON {
	j := runJSON{
		Kind: string(r.Kind), Outcome: outcome(r), StartedAt: instant(r.Began), FinishedAt: instant(r.Ended), Waited: seconds(r.Waited),
		Phase: string(r.Phase), Table: r.Table, Bytes: r.Passed, Total: r.Total, Estimated: r.About, Rate: int64(r.Rate),
		Phases: map[string]seconds{}, WarningNum: r.Warned, Warnings: append([]string{}, r.Warnings...),
		Error: r.Error, Hint: r.Hint, Snapshot: r.Snapshot,
	}
	for name, took := range r.Phases {
		j.Phases[string(name)] = seconds(took)
	}
	if r.Drill != nil {
		drill := newDrillJSON(status.Drill{At: r.Ended, Drilled: *r.Drill})
		j.Drill = &drill
	}
	return j
}

func outcome(r status.Run) string {
	switch {
	case r.Ended.IsZero():
		return "running"
	case r.Interrupted:
		return "interrupted"
	case r.Failed():
		return "failed"
	case r.Error != "":
		return "unfollowed"
	}
	return "succeeded"
}

func newSnapshotJSON(b status.Backup) snapshotJSON {
	j := snapshotJSON{
		ID: b.ID, Time: instant(b.At), Bytes: b.Bytes, Added: b.Added, Stored: b.Stored, Duration: seconds(b.Duration), Empty: b.Empty,
		Tables: []tableJSON{},
	}
	if b.Described {
		j.Count, j.Rows = &b.Count, &b.Rows
	}
	for _, t := range b.Tables {
		j.Tables = append(j.Tables, tableJSON(t))
	}
	return j
}

func newDrillJSON(d status.Drill) drillJSON {
	return drillJSON{
		FinishedAt: instant(d.At), Verdict: string(d.Verdict), Snapshot: d.Snapshot, SnapshotTime: instant(d.Of), Restore: seconds(d.Restore),
		Bytes: d.Bytes, Tables: d.Tables, Rows: d.Rows, Checks: d.Checks, Wrong: append([]string{}, d.Wrong...),
	}
}

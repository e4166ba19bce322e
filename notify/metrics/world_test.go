package metrics

import (
	"errors"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// world is a board with jobs of all kinds, and its metrics. Its clock is a bubble's of
// testing/synctest, which begins with the year 2000.
type world struct {
	*Metrics
	t     *testing.T
	board *status.Board
}

func newWorld(t *testing.T) world {
	t.Helper()
	board := status.NewBoard()
	w := world{New(board, "1.2.3"), t, board}
	w.seed()
	w.fresh()
	w.failing()
	w.others()
	return w
}

func every(d time.Duration) status.Plan {
	return status.Plan{Text: "every " + d.String(), Next: func(t time.Time) time.Time { return t.Add(d) }}
}

// hear has all hear something of a run.
func (w world) hear(job string, kind event.Kind, what event.What) {
	hearOf(w.t, w.Metrics, w.board, job, kind, what)
}

// seed adds the jobs, with what the repositories hold of some.
func (w world) seed() {
	daily := map[event.Kind]status.Plan{event.Backup: every(24 * time.Hour)}
	all := map[event.Kind]status.Plan{
		event.Backup: every(24 * time.Hour), event.Drill: every(7 * 24 * time.Hour), event.Check: every(30 * 24 * time.Hour),
	}
	add := func(name string, plans map[event.Kind]status.Plan) {
		w.board.Add(status.Job{Name: name, Host: "db", DBType: "postgres", Repository: "s3:https://s3.example.org/backups", Plans: plans})
	}
	add("fresh", all)
	add("stale", daily)
	add("failed", all)
	add("untried", all)
	add("unseeded", daily)
	add("by-hand", nil)
	w.board.Add(status.Job{Name: "fleet", Host: "db", DBType: "mysql", Plans: daily, PerDatabase: true})
	w.board.Replace("fleet", []status.Job{{Name: "fleet-a", Host: "db", DBType: "mysql", Parent: "fleet", Plans: daily}})

	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	old := []status.Backup{{ID: "1", At: ago(48 * time.Hour), Bytes: 5000, Added: 400, Stored: 100, Duration: time.Minute}}
	w.board.Seed("fresh", old, nil, nil)
	w.board.Seed("stale", []status.Backup{{ID: "2", At: ago(9 * 24 * time.Hour), Bytes: 9000}}, nil, nil)
	w.board.Seed("untried", old, []status.Drill{
		{At: ago(time.Hour), Drilled: event.Drilled{Verdict: event.Untried}},
	}, nil)
	w.board.Seed("failed", nil, nil, nil)
	w.board.Seed("unseeded", nil, nil, errors.New("dial: no route to host"))
}

// fresh has the job of this name make a backup, a drill and a check.
func (w world) fresh() {
	w.board.Queue("fresh", true)
	time.Sleep(90 * time.Second)
	w.board.Queue("fresh", false)
	w.hear("fresh", event.Backup, event.Begun{Mode: "auto"})
	w.hear("fresh", event.Backup, event.Awaited{})
	for _, phase := range []event.PhaseName{event.Survey, event.Dump, event.Spool, event.Store, event.Forget} {
		w.hear("fresh", event.Backup, event.Phase{Name: phase})
		time.Sleep(time.Duration(len(phase)) * time.Second)
	}
	w.hear("fresh", event.Backup, event.Retried{})
	w.hear("fresh", event.Backup, event.Spooled{Bytes: 6000, Stored: 2000})
	w.hear("fresh", event.Backup, event.Warning{Text: "the table log has no key"})
	w.hear("fresh", event.Backup, event.Kept{Snapshots: 7, Oldest: time.Now().AddDate(-1, 0, 0), Newest: time.Now()})
	w.hear("fresh", event.Backup, event.Ended{
		Began: time.Now().Add(-25 * time.Second), Safe: true,
		Snapshot: event.Snapshot{ID: "3", Bytes: 6000, Added: 700, Stored: 300},
		Tables:   []event.Table{{Name: "orders", Rows: 40}, {Name: "log", Rows: 2}},
	})
	w.hear("fresh", event.Drill, event.Begun{})
	w.hear("fresh", event.Drill, event.Phase{Name: event.Load})
	time.Sleep(20 * time.Second)
	w.hear("fresh", event.Drill, event.Ended{Drill: &event.Drilled{
		Verdict: event.Proven, Snapshot: "3", Restore: 20 * time.Second, Bytes: 6000, Tables: 2, Rows: 42, Checks: 3,
	}})
	w.hear("fresh", event.Check, event.Begun{})
	time.Sleep(5 * time.Second)
	w.hear("fresh", event.Check, event.Ended{})
	w.board.Due("fresh", event.Backup, time.Now().Add(12*time.Hour))
}

// failing has runs of each kind fail, one be interrupted, and one keep its snapshot.
func (w world) failing() {
	began := time.Now().Add(-3 * time.Second)
	w.hear("failed", event.Backup, event.Ended{Began: began, Error: "dump: connection refused", ExitCode: 1})
	w.hear("failed", event.Backup, event.Ended{Began: began, Error: "retention: locked", ExitCode: 3, Safe: true, Snapshot: event.Snapshot{ID: "4"}})
	w.hear("failed", event.Drill, event.Ended{Began: began, Error: "wrong", ExitCode: 1, Drill: &event.Drilled{
		Verdict: event.Wrong, Restore: time.Second, Tables: 2, Rows: 41, Wrong: []string{"orders: 39 rows, want 40"},
	}})
	w.hear("failed", event.Check, event.Ended{Began: began, Error: "pack 1a2b is damaged", ExitCode: 1})
	time.Sleep(time.Second)
	w.hear("failed", event.Backup, event.Ended{Began: began, Error: "interrupted", ExitCode: 143})
}

// others has a run go on, one wait, and one fail that looks for databases.
func (w world) others() {
	w.hear("stale", event.Backup, event.Begun{})
	w.hear("stale", event.Backup, event.Phase{Name: event.Dump})
	w.board.Queue("unseeded", true)
	w.hear("fleet", event.Backup, event.Ended{Began: time.Now(), Error: "databases: connection refused", ExitCode: 1})
}

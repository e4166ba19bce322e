package web

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// same JSON, whatever its blanks.
func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHealthz(t *testing.T) {
	got := get(testSite(Config{}, today), request("GET", "/healthz"))
	if got.Code != 200 || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	sameJSON(t, `{"status": "ok", "jobs": 1, "problems": []}`, got.Body.String())
	got = get(testSite(Config{}, today.AddDate(0, 0, 2)), request("GET", "/healthz"))
	if got.Code != 503 {
		t.Errorf("%d", got.Code)
	}
	sameJSON(t, `{"status": "unhealthy", "jobs": 1, "problems": [{"job": "app", "of": "backup", "since": "2026-03-11T00:16:30Z",
		"reason": "the last good backup is of 2026-03-10T06:00:00Z, 2 days ago; the next was due at 2026-03-11T00:00:00Z"}]}`, got.Body.String())
}

func TestReadyz(t *testing.T) {
	got := get(testSite(Config{Ready: func() error { return nil }}, today), request("GET", "/readyz"))
	sameJSON(t, `{"status": "ready"}`, got.Body.String())
	got = get(testSite(Config{Ready: func() error { return errors.New("the repository is being read") }}, today), request("GET", "/readyz"))
	if got.Code != 503 {
		t.Errorf("%d", got.Code)
	}
	sameJSON(t, `{"status": "not ready", "reason": "the repository is being read"}`, got.Body.String())
}

// The whole answer, which is an interface: a field that goes or changes breaks somebody's program.
func TestStatusHasExactlyTheFieldsPromised(t *testing.T) {
	board := newBoard()
	zone := time.FixedZone("", 2*60*60)
	hear := func(kind event.Kind, minute int, what event.What) {
		e := event.Event{Run: event.Run{Kind: kind, Job: "app"}, At: today.Add(time.Duration(minute) * time.Minute).In(zone), What: what}
		if err := board.Hear(context.Background(), e); err != nil {
			t.Error(err)
		}
	}
	hear(event.Backup, 0, event.Begun{})
	hear(event.Backup, 0, event.Phase{Name: event.Dump, Total: 100, Estimated: true})
	hear(event.Backup, 1, event.Bytes{Passed: 50})
	hear(event.Backup, 1, event.Table{Name: "public.<t>", Rows: 1})
	hear(event.Backup, 1, event.Warning{Text: "w"})
	hear(event.Backup, 2, event.Kept{Snapshots: 2, Oldest: today})
	hear(event.Backup, 2, event.Ended{Began: today, Error: "dump: no", Hint: "try", ExitCode: 1})
	hear(event.Drill, 3, event.Ended{Began: today, Drill: &event.Drilled{
		Verdict: event.Wrong, Snapshot: "abcdef", Of: today, Restore: 2 * time.Second, Bytes: 10, Tables: 1, Rows: 2, Checks: 3, Wrong: []string{"t: 1 row is missing"},
	}})
	board.Due("app", event.Backup, today.Add(12*time.Hour))
	board.Describe("app", "abcdef", []event.Table{{Name: "public.<t>", Rows: 7}})

	h := testSite(Config{Board: board, Version: "v1"}, today)
	drill := `{"finishedAt": "2026-03-10T12:03:00Z", "verdict": "wrong", "snapshotId": "abcdef", "snapshotTime": "2026-03-10T12:00:00Z",
		"restoreSeconds": 2, "bytes": 10, "tables": 1, "rows": 2, "checks": 3, "wrong": ["t: 1 row is missing"]}`
	run := `{"kind": "backup", "outcome": "failed", "startedAt": "2026-03-10T12:00:00Z", "finishedAt": "2026-03-10T12:02:00Z", "waitedSeconds": 0,
		"phase": "dump", "table": "public.<t>", "bytes": 50, "totalBytes": 100, "totalEstimated": true, "bytesPerSecond": 0,
		"phaseSeconds": {"dump": 120}, "warningCount": 1, "warnings": ["w"], "error": "dump: no", "hint": "try", "snapshotId": "", "drill": null}`
	drillRun := `{"kind": "drill", "outcome": "failed", "startedAt": "2026-03-10T12:00:00Z", "finishedAt": "2026-03-10T12:03:00Z", "waitedSeconds": 0,
		"phase": "", "table": "", "bytes": 0, "totalBytes": 0, "totalEstimated": false, "bytesPerSecond": 0,
		"phaseSeconds": {}, "warningCount": 0, "warnings": [], "error": "", "hint": "", "snapshotId": "", "drill": ` + drill + `}`
	snapshot := func(tables string) string {
		return `{"id": "abcdef", "time": "2026-03-10T06:00:00Z", "bytes": 10, "added": 5, "stored": 2, "durationSeconds": 1.5, "empty": false,
			"tableCount": 1, "rows": 7, "tables": ` + tables + `}`
	}
	job := `"name": "app", "host": "db", "dbType": "postgres", "repository": "/srv/backups", "database": "app", "perDatabase": false,
		"status": "unhealthy", "problems": [{"job": "app", "of": "drill", "since": "2026-03-10T12:03:00Z",
			"reason": "the drill of 2026-03-10T12:03:00Z found that the snapshot is not as it says of itself; the last run failed at 2026-03-10T12:03:00Z"}],
		"repositoryRead": true, "repositoryError": "", "queuedSince": null,
		"schedules": {"backup": {"text": "every day", "jitterSeconds": 90, "next": "2026-03-11T00:00:00Z", "lastGood": "2026-03-10T06:00:00Z", "until": "2026-03-11T00:16:30Z"}},
		"running": null, "lastRuns": {"backup": ` + run + `, "drill": ` + drillRun + `},
		"lastError": {"kind": "backup", "at": "2026-03-10T12:02:00Z", "error": "dump: no", "hint": "try"},
		"runs": {"backup": {"succeeded": 0, "failed": 1, "unfollowed": 0, "interrupted": 0}, "drill": {"succeeded": 0, "failed": 1, "unfollowed": 0, "interrupted": 0}},
		"lastSnapshot": ` + snapshot("[]") + `,
		"retained": {"snapshots": 2, "oldest": "2026-03-10T12:00:00Z", "newest": null}, "lastDrill": ` + drill
	state, _ := board.Named("app")
	since := `, "knownSince": "` + state.Began.UTC().Format(time.RFC3339) + `"`
	got := get(h, request("GET", "/status"))
	sameJSON(t, `{"version": "v1", "time": "2026-03-10T12:00:00Z", "status": "unhealthy", "jobs": [{`+job+since+`}]}`, got.Body.String())
	if strings.Contains(got.Body.String(), "<t>") {
		t.Error("what may be taken for HTML is written as such")
	}
	got = get(h, request("GET", "/status/app"))
	sameJSON(t, `{"version": "v1", "time": "2026-03-10T12:00:00Z", `+job+since+`,
		"snapshots": [`+snapshot(`[{"name": "public.<t>", "rows": 7}]`)+`], "drills": [`+drill+`], "ended": [`+run+`, `+drillRun+`]}`, got.Body.String())
}

// What goes on is told with how far it is.
func TestStatusOfARun(t *testing.T) {
	board := newBoard()
	for _, what := range []event.What{event.Begun{}, event.Phase{Name: event.Dump, Total: 100}, event.Table{Name: "t"}} {
		_ = board.Hear(context.Background(), event.Event{Run: event.Run{Kind: event.Backup, Job: "app"}, At: today, What: what})
	}
	var all struct {
		Jobs []struct{ Running map[string]any }
	}
	if err := json.Unmarshal(get(testSite(Config{Board: board}, today), request("GET", "/status")).Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	running := all.Jobs[0].Running
	delete(running, "phaseSeconds")
	want := map[string]any{
		"kind": "backup", "outcome": "running", "startedAt": "2026-03-10T12:00:00Z", "finishedAt": nil, "waitedSeconds": 0.0, "phase": "dump", "table": "t",
		"bytes": 0.0, "totalBytes": 100.0, "totalEstimated": false, "bytesPerSecond": 0.0, "warningCount": 0.0, "warnings": []any{},
		"error": "", "hint": "", "snapshotId": "", "drill": nil,
	}
	if diff := cmp.Diff(want, running); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// No answer holds what who asks has to know.
func TestNoSecretInAnswers(t *testing.T) {
	h := testSite(Config{Token: token, User: "operator", Password: password, Run: func(string) error { return ErrRunning }}, today)
	for _, target := range []string{"/", "/healthz", "/readyz", "/status", "/status/app", "/status/none", "/run/app", "/nothing"} {
		for _, method := range []string{"GET", "POST"} {
			for _, r := range []func() string{
				func() string { return dump(get(h, request(method, target))) },
				func() string { return dump(get(h, request(method, target, bearer(token)))) },
				func() string { return dump(get(h, request(method, target, basic("operator", password)))) },
			} {
				if text := r(); strings.Contains(text, token) || strings.Contains(text, password) || strings.Contains(text, "word-of-the-operator") {
					t.Errorf("%s %s: %s", method, target, text)
				}
			}
		}
	}
}

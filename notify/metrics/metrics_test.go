package metrics

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

var update = flag.Bool("update", false, "write the expected files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Jobs of all kinds, as Prometheus is told of them: -update writes the expected text anew.
func TestExposition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newWorld(t).Metrics
		got := exposition(t, m)
		const golden = "testdata/exposition.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for name := range names() {
			if !strings.Contains(got, "# TYPE "+name+" ") {
				t.Errorf("no job of the test has a %s", name)
			}
		}
	})
}

// The names and units are as Prometheus wants them.
func TestLint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		problems, err := promlint.New(strings.NewReader(exposition(t, newWorld(t).Metrics))).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
}

// What jobs are called makes no scrape fail, and no two of them one.
func TestHostileNames(t *testing.T) {
	board := status.NewBoard()
	m := New(board, "1.2.3")
	long := strings.Repeat("ä", mostLabel)
	hostile := []string{
		"app", "a\xff", "a\xfe", "a\ufffd#2", "a\"} 1\n# TYPE x counter", "\\", "", "\x00", "job{}", "bb_total", long, long + "1", long + "2",
		"x" + long, "<script>", "{{ $labels }}",
	}
	for _, name := range hostile {
		board.Add(status.Job{Name: name, Host: name, DBType: name, Repository: name})
		hearTo(t, m, board, name, event.Awaited{})
		hearTo(t, m, board, name, event.Ended{Error: name})
	}
	text := asked(t, m.Handler())
	for _, name := range []string{"job_info", "lock_waits_total"} {
		if got := strings.Count(text, "\nbreaking_backups_"+name+"{"); got != len(hostile) {
			t.Errorf("%d of %d jobs have a %s", got, len(hostile), name)
		}
	}
}

// Prometheus asks while runs go on and jobs come and go.
func TestScrapedWhileHearing(t *testing.T) {
	board := status.NewBoard()
	m := New(board, "1.2.3")
	var hearing sync.WaitGroup
	for _, name := range []string{"app", "shop"} {
		hearing.Go(func() {
			for range 200 {
				board.Replace(name, []status.Job{{Name: name, Parent: name}})
				for _, what := range []event.What{
					event.Begun{},
					event.Phase{Name: event.Dump},
					event.Retried{},
					event.Spooled{Bytes: 1},
					event.Kept{Snapshots: 3},
					event.Ended{Safe: true, Snapshot: event.Snapshot{ID: "1"}},
				} {
					hearTo(t, m, board, name, what)
				}
			}
		})
	}
	for range 50 {
		asked(t, m.Handler())
	}
	hearing.Wait()
	for _, want := range []string{`retries_total{job_name="app"} 200`, `spooled_bytes_total{job_name="shop"} 200`} {
		if !strings.Contains(asked(t, m.Handler()), "\nbreaking_backups_"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
}

// exposition is what Prometheus is told of the jobs, without what is told of the process. The
// registry is one that finds more wrong.
func exposition(t *testing.T, m *Metrics) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	return asked(t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}

// asked is what a handler answers, which is no error.
func asked(t *testing.T, handler http.Handler) string {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// hearTo has the metrics and the board hear something of a backup that happens now.
func hearTo(t *testing.T, m *Metrics, board *status.Board, job string, what event.What) {
	t.Helper()
	hearOf(t, m, board, job, event.Backup, what)
}

func hearOf(t *testing.T, m *Metrics, board *status.Board, job string, kind event.Kind, what event.What) {
	t.Helper()
	e := event.Event{Run: event.Run{Kind: kind, Job: job}, At: time.Now(), What: what}
	if err := errors.Join(board.Hear(context.Background(), e), m.Hear(context.Background(), e)); err != nil {
		t.Error(err)
	}
}

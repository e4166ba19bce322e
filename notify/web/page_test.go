package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

var nightly = status.Plan{Text: "every 24h", Next: func(t time.Time) time.Time { return t.Add(24 * time.Hour) }, Grace: time.Hour}

func pageBoard(names ...string) *status.Board {
	b := status.NewBoard()
	for _, name := range names {
		b.Add(status.Job{Name: name, DBType: "postgres", Plans: map[event.Kind]status.Plan{event.Backup: nightly}})
	}
	return b
}

func look(t *testing.T, b *status.Board, address string) (int, http.Header, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:1234", "localhost"
	w := httptest.NewRecorder()
	New(Config{Board: b, Zone: time.FixedZone("CET", 3600), Version: "test"}).ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(text)
}

// says holds a page to words, in their order.
func says(t *testing.T, page string, all ...string) {
	t.Helper()
	rest := strings.ReplaceAll(page, "&#43;", "+")
	for _, words := range all {
		_, after, found := strings.Cut(rest, words)
		if !found {
			t.Errorf("%q is not said, or not behind what was before it, in\n%s", words, page)
			return
		}
		rest = after
	}
}

func hasNot(t *testing.T, page string, all ...string) {
	t.Helper()
	for _, words := range all {
		if strings.Contains(page, words) {
			t.Errorf("%q is in\n%s", words, page)
		}
	}
}

// What there is nothing of is said in words.
func TestPagesOfNothing(t *testing.T) {
	_, header, page := look(t, status.NewBoard(), "/")
	says(t, page, "<h1", "No job yet", "There is no job yet.")
	if header.Get("Refresh") != "" || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Errorf("headers: %v", header)
	}
	b := pageBoard("app")
	_, _, page = look(t, b, "/job/app")
	says(t, page, "no backup yet", "The repository has not been read yet", "There is nothing to draw yet", "No drill is known", "None is known: the repository has not been read yet", "Of no snapshot")
	b.Seed("app", nil, nil, errors.New("no route to <store>"))
	_, _, page = look(t, b, "/job/app")
	says(t, page, "repository not read", "no route to &lt;store&gt;", "None is known: the repository could not be read.")
	b.Seed("app", nil, nil, nil)
	_, _, page = look(t, b, "/job/app")
	says(t, page, "There is no backup yet.", "There is no snapshot yet.")
	if code, _, page := look(t, b, "/job/shop"); code != http.StatusNotFound || !strings.Contains(page, "There is no job of this name") {
		t.Errorf("%d %s", code, page)
	}
}

// What is wrong comes first: since when, and what to do.
func TestOverviewOfTrouble(t *testing.T) {
	b := pageBoard("well", "ill")
	now := time.Now()
	b.Seed("well", []status.Backup{{ID: "aaaaaaaaaa", At: now.Add(-3*time.Hour - time.Second)}}, nil, nil)
	b.Seed("ill", []status.Backup{{ID: "bbbbbbbbbb", At: now.Add(-80*time.Hour - time.Second)}}, nil, nil)
	fails(b, "ill", "the password is wrong", "set PGPASSWORD")
	_, _, page := look(t, b, "/")
	says(t, page, "1 of 2 jobs needs attention", "What is wrong", `href="/job/ill"`, "The last good backup is 3 d 8 h old; the schedule allows 25 h.",
		"Since <time datetime=", "Last error", "the password is wrong", "What to do", "set PGPASSWORD", "<h2 id=\"jobs\"",
		`href="/job/well"`, "The last good backup is 3 h old; the schedule allows 25 h.", "3 h ago")
}

func fails(b *status.Board, job, text, hint string) {
	run := event.Run{Kind: event.Backup, Job: job}
	at := time.Now()
	tell(b, run, at, event.Begun{}, event.Ended{Began: at, Error: text, Hint: hint, ExitCode: 1})
}

func tell(b *status.Board, run event.Run, at time.Time, all ...event.What) {
	for _, what := range all {
		_ = b.Hear(context.Background(), event.Event{Run: run, At: at, What: what})
	}
}

// While a run goes on the page says how far it is, and is asked for again, unless somebody reads.
func TestPageOfARun(t *testing.T) {
	b := pageBoard("app")
	run := event.Run{Kind: event.Backup, Job: "app"}
	now := time.Now()
	tell(b, run, now.Add(-10*time.Second), event.Begun{}, event.Phase{Name: event.Dump, Total: 4_000_000_000})
	tell(b, run, now, event.Bytes{Passed: 1_000_000_000}, event.Table{Name: "public.orders", Rows: 5})
	for _, address := range []string{"/", "/job/app"} {
		_, header, page := look(t, b, address)
		if header.Get("Refresh") != "5" {
			t.Errorf("%s: Refresh is %q", address, header.Get("Refresh"))
		}
		says(t, page, `href="`+address+`?refresh=off"`, "reads rows and stores them", "public.orders")
		says(t, page, "100.0 MB/s")
		says(t, page, "25 %")
	}
	_, header, page := look(t, b, "/job/app?refresh=off")
	if header.Get("Refresh") != "" {
		t.Error("it refreshes though nobody wants it to")
	}
	says(t, page, `href="/job/app"`)
}

// Tables that are new, have vanished or changed are said, unless not all of them are remembered.
func TestPageOfTables(t *testing.T) {
	b := pageBoard("app")
	now := time.Now()
	b.Seed("app", []status.Backup{
		{ID: "aaaaaaaaaa", At: now.Add(-30 * time.Hour), Tables: []event.Table{{Name: "gone", Rows: 7}, {Name: "same", Rows: 5}, {Name: "grown", Rows: 1000}}},
		{ID: "bbbbbbbbbb", At: now.Add(-6 * time.Hour), Tables: []event.Table{{Name: "fresh", Rows: 3}, {Name: "same", Rows: 5}, {Name: "grown", Rows: 3500}}},
	}, nil, nil)
	_, _, page := look(t, b, "/job/app")
	_, page, _ = strings.Cut(page, `id="tables"`)
	says(t, page, "1 table has changed", "1 is new", "1 has vanished", "gone", "vanished", "−7", "fresh", "new", "+3", "grown", "3,500", "1,000", "+2,500", "same")
	_, _, page = look(t, b, "/job/app?snapshot=aaaaaaaaaa")
	says(t, page, `id="tables"`, "aaaaaaaa", "What the one before holds is not known", "gone")
	hasNot(t, page, "fresh")
}

// Failures and gaps are seen in the plots, and said; what retention has thinned out is no gap.
func TestPlots(t *testing.T) {
	b := pageBoard("app")
	now := time.Now()
	var all []status.Backup
	for _, days := range []int{90, 60, 30, 23, 16, 9, 8, 7, 4, 3, 2} {
		all = append(all, status.Backup{ID: string(rune('a' + len(all))), At: now.Add(time.Duration(-days) * 24 * time.Hour), Bytes: 1_000_000})
	}
	b.Seed("app", all, nil, nil)
	fails(b, "app", "no", "")
	_, _, page := look(t, b, "/job/app")
	says(t, page, "Rows", "Not known of any snapshot.", "Size of the dump", `<rect class="gap"`, "no snapshot for 3 d", `<rect class="failed"`,
		"11 snapshots: between 1.0 MB and 1.0 MB", "1 run failed", "missing in 2 places")
	if n := strings.Count(page, "no snapshot for"); n != 3-1 { // size and added: rows and durations are not known
		t.Errorf("%d gaps in two plots", n)
	}
}

// Names are whatever somebody called a table. None leaves its place, and all are short.
func TestHostileNames(t *testing.T) {
	const evil = "<script>alert(1)</script>\u202etxt\nsecond\"' onload=x"
	long := strings.Repeat("long", 15_000)
	b := pageBoard(evil, long, "..", "a/b?c#d%")
	now := time.Now()
	b.Seed(evil, []status.Backup{{ID: "aaaaaaaaaa", At: now.Add(-time.Hour), Tables: []event.Table{{Name: evil, Rows: 1}, {Name: long, Rows: 1}}}}, nil, nil)
	fails(b, evil, evil, evil)
	_, _, page := look(t, b, "/")
	hasNot(t, page, "<script", "\u202e", long[:200], `href="/job/.."`)
	says(t, page, `href="/job/a%2Fb%3Fc%23d%25"`)
	if code, _, page := look(t, b, path("a/b?c#d%")); code != http.StatusOK {
		t.Errorf("%d %s", code, page)
	}
	code, _, page := look(t, b, path(evil))
	if code != http.StatusOK {
		t.Fatal(code)
	}
	hasNot(t, page, "<script", "\u202e", long[:200], " style=")
	says(t, page, "&lt;script&gt;", "⟨U+202E⟩txt⟨U+000A⟩second")
}

// Of the newest snapshot not all may be known, and what is said of it is not that of another.
func TestPlotOfWhatIsKnown(t *testing.T) {
	b := pageBoard("app")
	now := time.Now()
	b.Seed("app", []status.Backup{
		{ID: "a", At: now.Add(-26 * time.Hour), Bytes: 1, Tables: []event.Table{{Name: "orders", Rows: 42}}},
		{ID: "b", At: now.Add(-2 * time.Hour), Bytes: 2},
	}, nil, nil)
	_, _, page := look(t, b, "/job/app")
	says(t, page, "2 snapshots: between 42 and 42; the last that is known 42. Not known of 1 snapshot.", "between 1 B and 2 B; the last 2 B.")
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(1000): "1,000", count(-1234567): "−1,234,567", change(5): "+5",
		size(999): "999 B", size(999_960): "1.0 MB", size(1.5e9): "1.5 GB",
		span(1500 * time.Millisecond): "1 s", span(125 * time.Second): "2 min 5 s", span(25 * time.Hour): "25 h", span(50 * time.Hour): "2 d 2 h",
		name(strings.Repeat("ä", 200)): strings.Repeat("ä", 66) + "…" + strings.Repeat("ä", 33),
		name("a\xffb"):                 "a\uFFFDb", words("a\nb\u200f"): "a\nb⟨U+200F⟩",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

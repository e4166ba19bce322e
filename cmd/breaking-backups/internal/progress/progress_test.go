package progress

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// shown is what a terminal that heeds erase would show, line by line.
func shown(written string) string {
	lines := strings.Split(written, "\n")
	for i, line := range lines {
		if at := strings.LastIndex(line, erase); at >= 0 {
			lines[i] = line[at+len(erase):]
		}
	}
	return strings.Join(lines, "\n")
}

func hear(t *testing.T, tracker *Tracker, what event.What) {
	t.Helper()
	if err := tracker.Hear(t.Context(), event.Event{At: time.Now(), What: what}); err != nil {
		t.Error(err)
	}
}

// On a terminal the bar stands below the lines of the log, and is gone at the end.
func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		screen := NewScreen(&out)
		tracker := New(screen, func(string, ...any) { t.Error("a line where there is a bar") })
		log := func(line string) { fmt.Fprintln(screen, line) }
		wants := func(want string) {
			t.Helper()
			if diff := cmp.Diff(want, shown(out.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		log("backup started")
		hear(t, tracker, event.Phase{Name: event.Survey})
		hear(t, tracker, event.Phase{Name: event.Dump, Total: 20_000_000, Estimated: true})
		wants("backup started\n")
		for range 2 {
			time.Sleep(time.Second)
			hear(t, tracker, event.Bytes{Passed: 5_000_000})
		}
		hear(t, tracker, event.Table{Name: "public.\"or\x1bders\""})
		time.Sleep(time.Second)
		hear(t, tracker, event.Bytes{Passed: 15_000_000})
		log("a warning")
		wants("backup started\na warning\n" + `dumping 15.00 MB of about 20.00 MB [=====> ] 5.0 MB/s 1s left  public."or\u001b`)
		back := screen.Hide()
		wants("backup started\na warning\n")
		fmt.Fprint(screen, "Sure? ")
		hear(t, tracker, event.Bytes{Passed: 16_000_000})
		wants("backup started\na warning\nSure? ")
		fmt.Fprint(screen, "\n")
		back()
		time.Sleep(time.Second)
		hear(t, tracker, event.Bytes{Passed: 25_000_000}) // the estimate was too low
		if got := shown(out.String()); !strings.HasSuffix(got, "\nSure? \n"+`dumping 25.00 MB 4.0s 6.2 MB/s  public."or\u001bders"`) {
			t.Errorf("%q", got)
		}
		hear(t, tracker, event.Phase{Name: event.Forget})
		hear(t, tracker, event.Bytes{Passed: 1})
		wants("backup started\na warning\nSure? \n")
		hear(t, tracker, event.Phase{Name: event.Load, Total: 100})
		hear(t, tracker, event.Bytes{Passed: 100})
		tracker.End()
		hear(t, tracker, event.Bytes{Passed: 100})
		hear(t, tracker, event.Ended{})
		log("done")
		wants("backup started\na warning\nSure? \ndone\n")
	})
}

// A terminal that stands still holds nobody who shows a bar: neither the run nor its end. What is
// to stand there in the end does once the terminal goes on.
func TestBarOnAStoppedTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		screen := NewScreen(w)
		tracker := New(screen, nil)
		began := time.Now()
		hear(t, tracker, event.Phase{Name: event.Dump})
		hear(t, tracker, event.Bytes{Passed: 50})
		hear(t, tracker, event.Bytes{Passed: 60})
		tracker.End()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the run was held for %s", took)
		}
		var out bytes.Buffer
		go func() { _, _ = io.Copy(&out, r) }()
		synctest.Wait()
		if got := shown(out.String()); got != "" {
			t.Errorf("there stands %q", got)
		}
		w.Close()
	})
}

// The bar of a run that begins again is taken away by the one that goes on.
func TestBarOfAnother(t *testing.T) {
	var out bytes.Buffer
	screen := NewScreen(&out)
	first, second := New(screen, nil), New(screen, nil)
	hear(t, first, event.Phase{Name: event.Dump})
	hear(t, first, event.Bytes{Passed: 50})
	hear(t, second, event.Ended{})
	if got := shown(out.String()); got != "" {
		t.Errorf("there stands %q", got)
	}
}

// Where bytes stand still and something else is done, the bar says what, and for how long.
func TestBarBesideOtherWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		tracker := New(NewScreen(&out), nil)
		for _, step := range []struct {
			do   func()
			want string
		}{
			{func() { hear(t, tracker, event.Phase{Name: event.Load, Total: 20_000_000}) }, ""},
			{func() { hear(t, tracker, event.Bytes{Passed: 20_000_000}) }, "restoring 20.00 MB of 20.00 MB [===================================>] 20.0 MB/s"},
			{func() { tracker.Still(time.Now(), 20_000_000, "indexes and keys, 3 of 12") }, "restoring 20.00 MB of 20.00 MB [===================================>] 20.0 MB/s"},
			{func() { time.Sleep(time.Minute); tracker.Still(time.Now(), 20_000_000, "") }, "restoring 20.00 MB of 20.00 MB [===================================>] 20.0 MB/s"},
			{func() { tracker.Still(time.Now(), 20_000_000, "indexes and keys, 3 of 12") }, "restoring 20.00 MB of 20.00 MB [=============>] indexes and keys, 3 of 12, 1m3s"},
			{tracker.End, ""},
			{func() { tracker.Still(time.Now(), 20_000_000, "indexes and keys, 3 of 12") }, ""},
		} {
			time.Sleep(time.Second)
			step.do()
			if diff := cmp.Diff(step.want, shown(out.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}

// No time is told that nobody waits for.
func TestNoEndlessTime(t *testing.T) {
	tracker := New(nil, nil)
	began := time.Now()
	hear(t, tracker, event.Phase{Name: event.Load, Total: 1 << 60})
	hear(t, tracker, event.Bytes{Passed: 100})
	if _, left := tracker.rate(began.Add(time.Second), sample{at: began}); left != 0 {
		t.Errorf("%s left", left)
	}
}

// Nothing is wider than the terminal, however little room there is and whatever a table is called.
func TestBarFits(t *testing.T) {
	for _, table := range []string{"", "public.orders", strings.Repeat("wide表", 50), "a\nb"} {
		for _, width := range []int{80, 40, 12, 2} {
			for _, total := range []int64{0, 1 << 40} {
				line := newBar("restoring").line(1<<30, total, true, "5.0 MB/s 1m left", table, width)
				if strings.Contains(line, "\n") || pb.CellCount(line) > width-1 {
					t.Errorf("width %d, total %d, table %q: %d columns: %q", width, total, table, pb.CellCount(line), line)
				}
			}
		}
	}
}

// Elsewhere there is a line every half minute, with the rate since the one before.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		tracker := New(nil, func(text string, details ...any) {
			lines = append(lines, strings.TrimSpace(fmt.Sprintln(append([]any{text}, details...)...)))
		})
		pass := func(seconds int, by int64) {
			for range seconds {
				time.Sleep(time.Second)
				hear(t, tracker, event.Bytes{Passed: tracker.passed + by})
			}
		}
		hear(t, tracker, event.Phase{Name: event.Load, Total: 100_000_000})
		tracker.Locate(func(passed int64) string {
			if passed < 20_000_000 {
				return "public.before"
			}
			return "public.orders"
		})
		pass(29, 1_000_000)
		pass(31, 1_000_000)
		pass(30, 500_000)
		tracker.Locate(nil)
		hear(t, tracker, event.Phase{Name: event.Dump, Total: 10, Estimated: true})
		pass(30, 0)
		pass(30, 1)
		hear(t, tracker, event.Phase{Name: event.Verify})
		pass(30, 2)
		hear(t, tracker, event.Phase{Name: event.Survey})
		pass(60, 2)
		want := []string{
			"restoring table public.orders bytes 30000000 of 100000000 rate 1.0 MB/s left 1m10s",
			"restoring table public.orders bytes 60000000 of 100000000 rate 1.0 MB/s left 40s",
			"restoring table public.orders bytes 75000000 of 100000000 rate 500.0 kB/s left 50s",
			"dumping bytes 0 about 10 rate 0 B/s",
			"dumping bytes 30 rate 1 B/s",
			"reading bytes 60 rate 2 B/s",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

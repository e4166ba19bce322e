// Package progress is how far a run has come, told to people: on a terminal by a bar below the
// lines of the log, elsewhere by a line every half minute. It hears of a run as any other listener
// and never holds it. When something has passed is the run's to say.
package progress

import (
	"context"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// barSamples is of how many samples, about one a second, a bar's rate is.
const barSamples = 15

// mostLeft is more than anybody waits: beyond it no time is told.
const mostLeft = 1000 * time.Hour

// lineEvery is how often a line is written where there is no bar.
const lineEvery = 30 * time.Second

// A Tracker is a listener that tells how far a run has come.
type Tracker struct {
	screen *Screen
	line   func(text string, details ...any)

	mu      sync.Mutex
	over    bool
	phase   event.Phase
	tableAt func(passed int64) string // nil: the run tells of tables
	table   string
	passed  int64
	told    sample    // the last line
	recent  []sample  // for a bar's rate; the first is of the phase's begin
	moved   time.Time // when bytes passed last
	bar     *bar      // nil: of this phase there is nothing to show
}

// A sample is how much had passed at a moment.
type sample struct {
	at     time.Time
	passed int64
}

// New makes a Tracker that shows a bar on the screen or, where that is nil, has lines written, with
// details in pairs of a key and its value, as slog takes them.
func New(screen *Screen, line func(text string, details ...any)) *Tracker {
	return &Tracker{screen: screen, line: line}
}

// doing is what a run does in each phase in which bytes pass.
var doing = map[event.PhaseName]string{
	event.Dump: "dumping", event.Spool: "spooling", event.Store: "storing", event.Verify: "reading", event.Load: "restoring",
}

// Hear takes in what a run tells. It never fails.
func (t *Tracker) Hear(_ context.Context, e event.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil
	}
	switch what := e.What.(type) {
	case event.Phase:
		t.clear()
		t.phase, t.table, t.passed, t.told = what, "", 0, sample{at: e.At}
		t.recent, t.moved = []sample{t.told}, e.At
		if text := doing[what.Name]; text != "" && t.screen != nil {
			t.bar = newBar(text)
		}
	case event.Table:
		t.table = what.Name
	case event.Bytes:
		t.passed, t.moved = what.Passed, e.At
		if t.tableAt != nil {
			t.table = t.tableAt(what.Passed)
		}
		t.tell(e.At)
	case event.Ended:
		t.end()
	}
	return nil
}

// Locate says from where in a dump its tables are known that passes in the phases that follow.
func (t *Tracker) Locate(tableAt func(passed int64) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tableAt = tableAt
}

// stillFrom is how long no bytes have passed when a bar shows what is done instead.
const stillFrom = 2 * time.Second

// Still says at what a run is besides the bytes, of which so many have passed, for a bar that would
// stand still; empty: at nothing. Whoever calls it does so again and again. Elsewhere the run's own
// lines say it.
func (t *Tracker) Still(now time.Time, passed int64, doing string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if passed != t.passed {
		t.passed, t.moved = passed, now
	}
	since := now.Sub(t.moved)
	if t.over || t.bar == nil || doing == "" || since < stillFrom {
		return
	}
	text := doing + ", " + since.Round(time.Second).String()
	t.screen.show(t.bar.line(t.passed, t.total(), t.phase.Estimated, terminal.Visible(text), "", t.screen.width()))
}

// End takes the bar away for good: what comes now is the run's result.
func (t *Tracker) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
}

func (t *Tracker) end() {
	t.over = true
	t.clear()
}

// clear takes the bar away, also that of a Tracker which was replaced and hears nothing more.
func (t *Tracker) clear() {
	if t.screen != nil {
		t.screen.show("")
	}
	t.bar = nil
}

// tell tells how far it is, if it is time to. A bar's rate is that of the last seconds, a line's
// that since the line before, as a database that has just become slow is what it is read for.
func (t *Tracker) tell(now time.Time) {
	if t.screen != nil {
		if t.recent = append(t.recent, sample{now, t.passed}); len(t.recent) > barSamples {
			t.recent = t.recent[1:]
		}
	}
	switch text := doing[t.phase.Name]; {
	case t.bar != nil:
		rate, left := t.rate(now, t.recent[0])
		words := terminal.Size(uint64(rate)) + "/s"
		if left > 0 {
			words += " " + left.String() + " left"
		}
		t.screen.show(t.bar.line(t.passed, t.total(), t.phase.Estimated, words, t.table, t.screen.width()))
	case text != "" && t.screen == nil && now.Sub(t.told.at) >= lineEvery:
		t.line(text, t.details(now)...)
		t.told = sample{now, t.passed}
	}
}

// total is how many bytes there will be, or 0 where nobody knows it, or an estimate was too low.
func (t *Tracker) total() int64 {
	if t.phase.Total < t.passed {
		return 0
	}
	return t.phase.Total
}

// details are those of a line.
func (t *Tracker) details(now time.Time) []any {
	var all []any
	if t.table != "" {
		all = append(all, "table", t.table)
	}
	all = append(all, "bytes", t.passed)
	switch total := t.total(); {
	case total == 0:
	case t.phase.Estimated:
		all = append(all, "about", total)
	default:
		all = append(all, "of", total)
	}
	rate, left := t.rate(now, t.told)
	all = append(all, "rate", terminal.Size(uint64(rate))+"/s")
	if left > 0 {
		all = append(all, "left", left)
	}
	return all
}

// rate is how many bytes have passed a second since a moment, and how long the rest takes at that;
// 0: nobody can say.
func (t *Tracker) rate(now time.Time, since sample) (bytes float64, left time.Duration) {
	took := now.Sub(since.at).Seconds()
	if took <= 0 {
		return 0, 0
	}
	bytes = max(float64(t.passed-since.passed)/took, 0)
	if seconds := float64(t.total()-t.passed) / bytes; bytes >= 1 && seconds > 0 && seconds < mostLeft.Seconds() {
		left = time.Duration(seconds * float64(time.Second)).Round(time.Second)
	}
	return bytes, left
}

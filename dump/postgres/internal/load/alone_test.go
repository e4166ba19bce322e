package load

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A build that comes before rows does not begin until these are many, or it has waited for long
// enough, or somebody waits for it.
func TestBuildBeforeFewRowsIsHeldBack(t *testing.T) {
	table := []touch{{relation: "large"}}
	for name, c := range map[string]struct {
		kind            planKind
		rows, many      bool
		since           time.Duration
		waitedFor, want bool
	}{
		"before rows":              {kind: builds, rows: true},
		"before many":              {kind: builds, rows: true, many: true, want: true},
		"before something else":    {kind: builds, want: true},
		"after a while":            {kind: builds, rows: true, since: time.Hour, want: true},
		"waited for":               {kind: builds, rows: true, waitedFor: true, want: true},
		"statistics, before rows":  {kind: analyses, rows: true, want: true},
		"a statement, before rows": {kind: quick, rows: true, want: true},
	} {
		began := false
		w := newWorkers(&session{}, 2, func(context.Context) (*session, error) { began = true; return nil, errors.New("none is needed") }, func(error) {}, func(string) {}, func(*job) {})
		w.busy[w.first] = &job{}
		w.waiting = []*job{{plan: plan{kind: c.kind, touches: table}, over: 100 << 20, left: time.Now().Add(-c.since)}}
		w.comes(c.rows)
		w.many = c.many
		held := w.startWaiting(t.Context(), c.waitedFor)
		if began != c.want || (held != nil) == c.want {
			t.Errorf("%s: begun %t, held back %t, want begun %t", name, began, held != nil, c.want)
		}
	}
}

// A build has the server's parallel workers where no rows come and all others together take less.
func TestOnlyBuild(t *testing.T) {
	build := func(over int64) *job { return &job{plan: plan{kind: builds}, over: over} }
	rows := &job{item: dump.Item{Kind: dump.Rows}}
	statistics := &job{plan: plan{kind: analyses}, over: 1000}
	for name, c := range map[string]struct {
		busy, waiting []*job
		fills, want   bool
	}{
		"nothing else":    {want: true},
		"before rows":     {fills: true},
		"beside rows":     {busy: []*job{rows}},
		"beside less":     {busy: []*job{build(40)}, waiting: []*job{build(50)}, want: true},
		"beside as much":  {busy: []*job{build(50)}, waiting: []*job{build(50)}},
		"with statistics": {busy: []*job{statistics}, waiting: []*job{statistics}, want: true},
	} {
		w := newWorkers(&session{}, 2, nil, func(error) {}, func(string) {}, func(*job) {})
		for _, j := range c.busy {
			w.busy[&session{}] = j
		}
		w.waiting, w.fills = c.waiting, c.fills
		if got := w.isOnly(build(100)); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// Rows say once that they are many, and do not say so where they are few.
func TestManyRowsAreTold(t *testing.T) {
	for size, want := range map[int]int{1000: 0, manyRows - 1000: 0, manyRows: 1, 5 * manyRows: 1} {
		long := make(chan struct{}, 10)
		d := newDealing(read(strings.NewReader(strings.Repeat(strings.Repeat("x", 99)+"\n", size/100+1))), newSpares(1), nil, long)
		go d.deal()
		for k := newRowsReader(d); k.whole.Load() == nil; {
			if _, err := k.Read(make([]byte, 64<<10)); err != nil && k.whole.Load() == nil {
				t.Fatal(err)
			}
		}
		if len(long) != want {
			t.Errorf("%d bytes: told %d times, want %d", size, len(long), want)
		}
	}
}

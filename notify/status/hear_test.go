package status

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// A run is told of while it goes on, and remembered when it has ended.
func TestHear(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.hear("2026-03-10 13:00:00", event.Begun{Mode: "auto"})
	w.hear("2026-03-10 13:00:00", event.Phase{Name: event.Survey})
	w.hear("2026-03-10 13:00:10", event.Phase{Name: event.Dump, Total: 1000, Estimated: true})
	w.hear("2026-03-10 13:00:11", event.Bytes{Passed: 100})
	w.hear("2026-03-10 13:00:12", event.Bytes{Passed: 200})
	w.hear("2026-03-10 13:00:12", event.Table{Name: "public.t", Rows: 7})
	w.hear("2026-03-10 13:00:12", event.Warning{Text: "something"})
	w.hear("2026-03-10 13:00:12", event.Warning{Text: "something"})
	w.hear("2026-03-10 13:00:12", event.Note{Text: "nobody's matter"})
	got := w.state("app").Running
	want := &Run{
		Kind: event.Backup, Began: at("2026-03-10 13:00"), Phase: event.Dump, Table: "public.t", Passed: 200, Total: 1000, About: true, Rate: 100,
		Warned: 2, Warnings: []string{"something"},
		Phases: map[event.PhaseName]time.Duration{event.Survey: 10 * time.Second, event.Dump: 2 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("while it goes on (-want +got):\n%s", diff)
	}
	w.now = at("2026-03-10 13:00:40")
	if rate := w.state("app").Running.Rate; rate != 0 {
		t.Errorf("what stands still moves at %v bytes a second", rate)
	}

	w.hear("2026-03-10 13:01:00", event.Phase{Name: event.Forget})
	w.hear("2026-03-10 13:01:01", event.Kept{Snapshots: 3})
	w.hear("2026-03-10 13:01:02", event.Ended{
		Began: at("2026-03-10 13:00"), Safe: true, Error: "forget: locked", Hint: "wait", ExitCode: 3,
		Snapshot: event.Snapshot{ID: "abc", Bytes: 1000, Added: 10, Stored: 5, Duration: 40 * time.Second},
		Tables:   []event.Table{{Name: "public.t", Rows: 7}, {Name: "public.u", Rows: 1}},
	})
	s := w.state("app")
	wantRun := Run{
		Kind: event.Backup, Began: at("2026-03-10 13:00"), Ended: at("2026-03-10 13:01:02"), Phase: event.Forget,
		Warned: 2, Warnings: []string{"something"}, Error: "forget: locked", Hint: "wait", Safe: true, Snapshot: "abc",
		Phases: map[event.PhaseName]time.Duration{event.Survey: 10 * time.Second, event.Dump: 50 * time.Second, event.Forget: 2 * time.Second},
	}
	if diff := cmp.Diff([]Run{wantRun}, s.Runs); diff != "" {
		t.Errorf("once it has ended (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[event.Kind]Run{event.Backup: wantRun}, s.Last); diff != "" {
		t.Errorf("the last (-want +got):\n%s", diff)
	}
	wantBackups := []Backup{{
		ID: "abc", At: at("2026-03-10 13:00:10"), Bytes: 1000, Added: 10, Stored: 5, Duration: 40 * time.Second,
		Described: true, Count: 2, Rows: 8, Tables: []event.Table{{Name: "public.t", Rows: 7}, {Name: "public.u", Rows: 1}},
	}}
	if diff := cmp.Diff(wantBackups, s.Backups); diff != "" {
		t.Errorf("its backup (-want +got):\n%s", diff)
	}
	if s.Running != nil || s.Kept.Snapshots != 3 {
		t.Errorf("%+v", s)
	}
}

// A run that begins again is the same, and what the try before it still tells is not of it.
func TestHearOfASecondChance(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(nightly()))
	w.hear("2026-03-10 13:00", event.Begun{})
	w.hear("2026-03-10 13:00", event.Phase{Name: event.Dump})
	w.hear("2026-03-10 13:01", event.Bytes{Passed: 100})
	w.hear("2026-03-10 13:02", event.Begun{})
	w.hear("2026-03-10 13:03", event.Phase{Name: event.Dump})
	want := w.state("app").Running
	if want == nil || !want.Began.Equal(at("2026-03-10 13:00")) || want.Passed != 0 || want.Phases[event.Dump] != 2*time.Minute {
		t.Errorf("%+v", want)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	_ = w.Hear(left, event.Event{Run: event.Run{Kind: event.Backup, Job: "app"}, At: at("2026-03-10 13:03"), What: event.Table{Name: "of one that was left"}})
	w.hear("2026-03-10 13:01", event.Begun{})
	w.hear("2026-03-10 13:01", event.Table{Name: "of the try before"})
	w.now = at("2026-03-10 13:03")
	if diff := cmp.Diff(want, w.state("app").Running); diff != "" {
		t.Errorf("what comes late is heard (-want +got):\n%s", diff)
	}
	_ = w.Hear(left, event.Event{Run: event.Run{Kind: event.Backup, Job: "app"}, At: at("2026-03-10 13:04"), What: event.Ended{Error: "no"}})
	if s := w.state("app"); s.Running != nil || len(s.Runs) != 1 {
		t.Errorf("an end is heard however late: %+v", s)
	}
}

// A run may fail before it begins, kinds go on beside each other, and what nobody has added is not
// heard of.
func TestHearOddRuns(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.hear("2026-03-10 12:00", event.Begun{})
	if w.Len() != 0 {
		t.Error("a job has come of an event")
	}
	w.Add(app(nightly()))
	w.hear("2026-03-10 12:00", event.Table{Name: "of no run"})
	w.hear("2026-03-10 12:01", event.Ended{Began: at("2026-03-10 12:00"), Error: "no"})
	w.hearOf("app", event.Check, "2026-03-10 13:00", event.Begun{})
	w.hear("2026-03-10 13:01", event.Begun{})
	if got := w.state("app").Running; got.Kind != event.Backup {
		t.Errorf("%+v", got)
	}
	w.hear("2026-03-10 13:02", event.Ended{Error: "no"})
	if got := w.state("app").Running; got.Kind != event.Check {
		t.Errorf("%+v", got)
	}
	w.Due("app", event.Backup, at("2026-03-11 02:30"))
	w.Due("app", event.Check, at("2026-03-11 02:30"))
	w.Due("app", event.Check, time.Time{})
	w.Due("nobody", event.Check, at("2026-03-11 02:30"))
	w.Queue("nobody", true)
	w.Seed("nobody", nil, nil, nil)
	w.Describe("nobody", "a", nil)
	if got := w.state("app"); len(got.Due) != 1 || len(got.Runs) != 2 || got.Runs[0].Began.IsZero() || got.Runs[1].Began.IsZero() {
		t.Errorf("%+v", got)
	}
}

// What is remembered has bounds, however much there is to hear.
func TestBounds(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	w.Add(app(hourly()))
	long := strings.Repeat("é", mostError)
	start := at("2026-03-10 12:00")
	for i := range 95 {
		began := start.Add(time.Duration(i) * time.Hour).Format("2006-01-02 15:04")
		w.hear(began, event.Begun{})
		w.hear(began, event.Phase{Name: event.PhaseName(long)})
		w.hear(began, event.Table{Name: long})
		for n := range mostWarnings + 2 {
			w.hear(began, event.Warning{Text: fmt.Sprint(n, long)})
		}
		w.hear(began, event.Ended{Safe: true, Error: long, Hint: long, Snapshot: event.Snapshot{ID: fmt.Sprint("id", i)}})
		w.hearOf("app", event.Drill, began, event.Ended{Error: long, Drill: &event.Drilled{Verdict: event.Wrong, Wrong: strings.Fields(strings.Repeat(long+" ", 30))}})
	}
	s := w.state("app")
	if len(s.Backups) != 90 || len(s.Drills) != 90 || len(s.Runs) != 90 || s.Backups[89].ID != "id94" {
		t.Errorf("%d backups, %d drills, %d runs, the last %s", len(s.Backups), len(s.Drills), len(s.Runs), s.Backups[len(s.Backups)-1].ID)
	}
	last := s.Last[event.Backup]
	if len(last.Error) > mostError || len(last.Error) < mostError-4 || !utf8.ValidString(last.Error) || !strings.HasSuffix(last.Error, "…") {
		t.Errorf("an error of %d bytes", len(last.Error))
	}
	if len(last.Warnings) != mostWarnings || last.Warned != mostWarnings+2 || len(last.Warnings[0]) > mostWarning || len(last.Table) > mostName || len(last.Phase) > mostName || len(last.Hint) > mostHint {
		t.Errorf("%d warnings of %d", len(last.Warnings), last.Warned)
	}
	if wrong := s.Drills[89].Wrong; len(wrong) != mostWrong || len(wrong[0]) > mostWarning {
		t.Errorf("%d faults", len(wrong))
	}
	if len(s.Drills[0].Wrong) != 1 || s.Runs[0].Warnings != nil {
		t.Error("details of old runs are kept")
	}
}

// What is given away is a copy, and what is taken is copied.
func TestCopies(t *testing.T) {
	w := newWorld(t, "2026-03-10 12:00")
	job := app(nightly())
	w.Add(job)
	tables, wrong := []event.Table{{Name: "t", Rows: 1}}, []string{"fault"}
	w.hear("2026-03-10 13:00", event.Begun{})
	w.hear("2026-03-10 13:00", event.Warning{Text: "warning"})
	w.hear("2026-03-10 13:00", event.Ended{Safe: true, Snapshot: event.Snapshot{ID: "a"}, Tables: tables})
	w.hearOf("app", event.Drill, "2026-03-10 14:00", event.Ended{Drill: &event.Drilled{Verdict: event.Wrong, Wrong: wrong}})
	w.hear("2026-03-10 15:00", event.Begun{})
	w.hear("2026-03-10 15:00", event.Warning{Text: "warning"})
	before := w.state("app")
	spoil := func(s State) {
		s.Plans[event.Check], s.Due[event.Check], s.Counts[event.Check] = Plan{}, w.now, Count{}
		s.Fresh[event.Check] = Fresh{}
		s.Running.Warnings[0] = "spoilt"
		s.Running.Phases["spoilt"] = 1
		s.Last[event.Check] = Run{}
		s.Last[event.Backup].Warnings[0], s.Runs[0].Warnings[0] = "spoilt", "spoilt"
		s.Last[event.Backup].Phases["spoilt"] = 1
		s.Last[event.Drill].Drill.Wrong[0], s.Drills[0].Wrong[0], s.Runs[1].Drill.Wrong[0] = "spoilt", "spoilt", "spoilt"
		s.Last[event.Drill].Drill.Verdict = event.Proven
		s.Backups[0].ID = "spoilt"
	}
	job.Plans[event.Check], tables[0].Name, wrong[0] = Plan{}, "spoilt", "spoilt"
	named := w.state("app")
	named.Backups[0].Tables[0].Name = "spoilt"
	spoil(named)
	spoil(w.Jobs()[0])
	ignore := cmp.Comparer(func(x, y Plan) bool { return x.Text == y.Text })
	if diff := cmp.Diff(before, w.state("app"), ignore); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if before.Backups[0].Tables[0].Name != "t" || before.Drills[0].Wrong[0] != "fault" {
		t.Errorf("%+v", before)
	}
	if w.Jobs()[0].Backups[0].Tables != nil {
		t.Error("Jobs gives tables")
	}
}

// Many jobs tell at once, while others ask.
func TestManyAtOnce(t *testing.T) {
	b := NewBoard()
	var telling sync.WaitGroup
	for i := range 20 {
		name := fmt.Sprint("job", i)
		b.Add(Job{Name: name, Plans: map[event.Kind]Plan{event.Backup: every(time.Hour)}})
		telling.Go(func() {
			run := event.Run{Kind: event.Backup, Job: name}
			for n := range 50 {
				for _, what := range []event.What{
					event.Begun{},
					event.Phase{Name: event.Dump},
					event.Bytes{Passed: 1},
					event.Warning{Text: "w"},
					event.Ended{Safe: true, Snapshot: event.Snapshot{ID: fmt.Sprint(n)}, Tables: []event.Table{{Name: "t"}}},
				} {
					_ = b.Hear(context.Background(), event.Event{Run: run, At: time.Now(), What: what})
				}
				b.Queue(name, n%2 == 0)
				b.Seed(name, nil, nil, nil)
			}
		})
		telling.Go(func() {
			for range 20 {
				_, _ = b.Jobs(), b.Health(time.Now())
				_, _ = b.Named(name)
			}
		})
	}
	telling.Wait()
	if got := b.Jobs(); len(got) != 20 || got[0].Counts[event.Backup].Succeeded != 50 {
		t.Errorf("%d jobs, %+v", len(got), got[0].Counts)
	}
}

// A plan may ask the board.
func TestPlanThatAsks(t *testing.T) {
	b := NewBoard()
	plan := every(time.Hour)
	b.Add(Job{Name: "app", Plans: map[event.Kind]Plan{event.Backup: {Next: func(t time.Time) time.Time {
		_ = b.Len()
		return plan.Next(t)
	}}}})
	if b.Health(time.Now()) != nil || len(b.Jobs()) != 1 {
		t.Error("nothing is owed yet")
	}
}

// A hundred jobs of ten thousand tables, with as many backups as are remembered, take little.
func TestMemoryOfTables(t *testing.T) {
	const jobs, tables = 3, mostTables
	b := NewBoard()
	for i := range jobs {
		b.Add(Job{Name: fmt.Sprint("job", i)})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range jobs {
		for n := range 5 {
			all := make([]event.Table, tables+5)
			for j := range all {
				all[j] = event.Table{Name: fmt.Sprintf("public.a_table_of_a_long_name_%06d", j), Rows: int64(j)}
			}
			e := event.Event{Run: event.Run{Kind: event.Backup, Job: fmt.Sprint("job", i)}, At: time.Now()}
			e.What = event.Ended{Safe: true, Snapshot: event.Snapshot{ID: fmt.Sprint(n)}, Tables: all}
			_ = b.Hear(context.Background(), e)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	took := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d MB", took>>20)
	if took > jobs*1<<20 {
		t.Errorf("%d jobs take %d bytes", jobs, took)
	}
	s, _ := b.Named("job0")
	if len(s.Backups) != 5 || s.Backups[0].Count != tables+5 || !s.Backups[0].Described || s.Backups[0].Tables != nil || len(s.Backups[4].Tables) != tables || len(s.Backups[3].Tables) != tables {
		t.Errorf("%d backups, the last of %d tables", len(s.Backups), len(s.Backups[4].Tables))
	}
	if first := s.Backups[4].Tables[0]; first.Rows != 5 {
		t.Errorf("the largest are kept, in the order of their names; the first is %+v", first)
	}
}

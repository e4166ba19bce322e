package audience

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// A Teller is what a run tells by: it makes events of what happens, with no secret in them, and
// hands them to an audience. Whoever works for a run has it in place of a log. It may be used by
// several goroutines.
type Teller struct {
	run      atomic.Pointer[event.Run] // another's once a run begins again
	redact   secret.Redactor
	hint     func(error) string // what a person can do about an error
	audience *audience

	warnings atomic.Int64 // of the dump that is being made
	passed   *passing     // of the same
}

// NewTeller makes what a run tells by: into the log, and to whoever subscribes beside it. hint is
// asked what a person can do about the error of a run that has failed, or empty.
func NewTeller(run event.Run, redact secret.Redactor, log Listener, hint func(error) string) *Teller {
	t := &Teller{redact: redact, hint: hint, audience: &audience{log: log}, passed: newPassing()}
	t.Of(run)
	return t
}

// Subscribe has others hear from now on, first what is given, in place of those who did. They have
// to be told of the end, or be replaced by nobody.
func (t *Teller) Subscribe(others []Listener, first ...event.What) {
	var events []event.Event
	for _, what := range first {
		events = append(events, t.event(what))
	}
	t.audience.subscribe(others, events...)
}

// Of says of which run it tells from now on: of one that begins again, with other settings.
func (t *Teller) Of(run event.Run) { t.run.Store(&run) }

// Anew begins to count the warnings of a dump that is made anew, as all is told anew.
func (t *Teller) Anew() { t.warnings.Store(0) }

func (t *Teller) Emit(what event.What) {
	t.audience.tell(t.event(what))
}

func (t *Teller) event(what event.What) event.Event {
	return event.Event{Run: *t.run.Load(), At: time.Now(), What: what}
}

// Note, debug and warn tell people a text, with details in pairs of a key and its value, as slog
// takes them.
func (t *Teller) Note(text string, details ...any) {
	t.Emit(event.Note{Text: t.redact.String(text), Details: t.details(details)})
}

func (t *Teller) Debug(text string) {
	t.Emit(event.Note{Text: t.redact.String(text), Debug: true})
}

func (t *Teller) Warn(text string, details ...any) {
	t.Emit(event.Warning{Text: t.redact.String(text), Details: t.details(details)})
}

// WarnOfDump is warn for what a dump says of itself.
func (t *Teller) WarnOfDump(text string) {
	t.warnings.Add(1)
	t.Warn(text)
}

// Phase tells what the run does from now on. The bytes that pass are counted anew.
func (t *Teller) Phase(name event.PhaseName) { t.Passing(event.Phase{Name: name}) }

// Passing is Phase where something is known of how many bytes will pass.
func (t *Teller) Passing(phase event.Phase) {
	t.passed.begin()
	t.Emit(phase)
}

// pass counts bytes of the dump that have passed, and tells of them from time to time. It waits for
// nobody: whoever reads the database calls it, and that would stand still with a log that does.
func (t *Teller) pass(n int) {
	if total, due := t.passed.add(n); due {
		t.audience.tryTell(t.event(event.Bytes{Passed: total}))
	}
}

// Passed is how many bytes of the dump have passed since its phase began, told or not.
func (t *Teller) Passed() int64 { return t.passed.total.Load() }

// Table tells that the rows of a table have passed. As pass it waits for nobody, and one may be
// missed.
func (t *Teller) Table(name string, rows int64) {
	t.audience.tryTell(t.event(event.Table{Name: t.redact.String(name), Rows: rows}))
}

// Refused tells what a server has not taken, in a restore that goes on.
func (t *Teller) Refused(r event.Refused) {
	r.What, r.Error = t.redact.String(r.What), t.redact.String(r.Error)
	t.Emit(r)
}

// Outcome is how a run went.
type Outcome struct {
	Started time.Time
	Summary restic.Summary // zero without a snapshot
	Tables  []event.Table  // that the dump of the snapshot holds
	Drill   *event.Drilled // of a drill
	Err     error          // a exit.FollowUpError when the snapshot is safe
}

// End tells how a backup went, to the log and to all who listen, and returns what went wrong in
// telling these.
func (t *Teller) End(ctx context.Context, out Outcome) error {
	ended := event.Ended{
		Began:    out.Started,
		Snapshot: newSnapshot(out.Summary),
		Safe:     out.Err == nil || errors.As(out.Err, new(exit.FollowUpError)),
		Warnings: t.warnings.Load(),
		Drill:    t.drilled(out.Drill),
	}
	if ended.Safe {
		ended.Tables = out.Tables
	}
	if out.Err != nil {
		ended.Error, ended.Hint = t.redact.String(out.Err.Error()), t.hint(out.Err)
		ended.ExitCode = exit.Code(ctx, out.Err)
	}
	err := t.audience.end(ctx, t.event(ended))
	if err != nil {
		t.Emit(event.Unheard{Error: t.redact.String(err.Error())})
	}
	return err
}

// drilled is a drill's result without secrets.
func (t *Teller) drilled(d *event.Drilled) *event.Drilled {
	if d == nil {
		return nil
	}
	plain := *d
	plain.Wrong = nil
	for _, text := range d.Wrong {
		plain.Wrong = append(plain.Wrong, t.redact.String(text))
	}
	return &plain
}

func newSnapshot(s restic.Summary) event.Snapshot {
	return event.Snapshot{
		ID: s.SnapshotID, Bytes: s.TotalBytesProcessed, Added: s.DataAdded, Stored: s.DataAddedPacked,
		Duration: time.Duration(s.TotalDuration * float64(time.Second)),
		FilesNew: s.FilesNew, FilesChanged: s.FilesChanged, FilesUnmodified: s.FilesUnmodified,
	}
}

// details makes plain values of pairs, without secrets.
func (t *Teller) details(pairs []any) []event.Detail {
	var all []event.Detail
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		switch v := value.(type) {
		case error:
			value = t.redact.String(v.Error())
		case string:
			value = t.redact.String(v)
		}
		all = append(all, event.Detail{Key: pairs[i].(string), Value: value})
	}
	return all
}

// passing is how much of a dump has passed, and when that was last told.
type passing struct {
	total atomic.Int64
	next  atomic.Int64 // when it is told next, in nanoseconds since began
	began time.Time
}

// tellBytes is how often the bytes that have passed are told.
const tellBytes = time.Second

func newPassing() *passing {
	p := &passing{began: time.Now()}
	p.begin()
	return p
}

func (p *passing) begin() {
	p.total.Store(0)
	p.next.Store(int64(time.Since(p.began) + tellBytes))
}

// add counts n more bytes, and reports whether it is time to tell the total.
func (p *passing) add(n int) (total int64, due bool) {
	total = p.total.Add(int64(n))
	now, next := int64(time.Since(p.began)), p.next.Load()
	return total, now >= next && p.next.CompareAndSwap(next, now+int64(tellBytes))
}

// Counted is a dump of which the bytes that pass are told.
func Counted(tell *Teller, produce func(context.Context, io.Writer) error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error { return produce(ctx, countedWriter{w, tell}) }
}

// countedWriter tells of the bytes that pass through it.
type countedWriter struct {
	w    io.Writer
	tell *Teller
}

func (c countedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.tell.pass(n)
	return n, err
}

// CountedReader is a dump that is read, of which the bytes that pass are told.
func CountedReader(tell *Teller, r io.Reader) io.Reader { return countedReader{r, tell} }

// countedReader tells of the bytes that pass through it.
type countedReader struct {
	r    io.Reader
	tell *Teller
}

func (c countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.tell.pass(n)
	return n, err
}

package main

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

// A teller is what a run tells by: it makes events of what happens, with no secret in them, and
// hands them to an audience. Whoever works for a run has it in place of a log. It may be used by
// several goroutines.
type teller struct {
	run      event.Run
	redact   secret.Redactor
	audience *audience

	warnings atomic.Int64 // of the dump that is being made: who begins one anew sets it to 0, as all is told anew
	passed   *passing     // of the same
}

func newTeller(run event.Run, redact secret.Redactor, to *audience) *teller {
	return &teller{run: run, redact: redact, audience: to, passed: newPassing()}
}

func (t *teller) emit(what event.What) {
	t.audience.tell(t.event(what))
}

func (t *teller) event(what event.What) event.Event {
	return event.Event{Run: t.run, At: time.Now(), What: what}
}

// note, debug and warn tell people a text, with details in pairs of a key and its value, as slog
// takes them.
func (t *teller) note(text string, details ...any) {
	t.emit(event.Note{Text: t.redact.String(text), Details: t.details(details)})
}

func (t *teller) debug(text string) {
	t.emit(event.Note{Text: t.redact.String(text), Debug: true})
}

func (t *teller) warn(text string, details ...any) {
	t.emit(event.Warning{Text: t.redact.String(text), Details: t.details(details)})
}

// warnOfDump is warn for what a dump says of itself.
func (t *teller) warnOfDump(text string) {
	t.warnings.Add(1)
	t.warn(text)
}

// phase tells what the run does from now on. The bytes that pass are counted anew.
func (t *teller) phase(name event.PhaseName) {
	t.passed.begin()
	t.emit(event.Phase{Name: name})
}

// pass counts bytes of the dump that have passed, and tells of them from time to time. It waits for
// nobody: whoever reads the database calls it, and that would stand still with a log that does.
func (t *teller) pass(n int) {
	if total, due := t.passed.add(n); due {
		t.audience.tryTell(t.event(event.Bytes{Passed: total}))
	}
}

// end tells how a backup went, to the log and to all who listen, and returns what went wrong in
// telling these.
func (t *teller) end(ctx context.Context, out outcome) error {
	ended := event.Ended{
		Began:    out.started,
		Snapshot: newSnapshot(out.summary),
		Safe:     out.err == nil || errors.As(out.err, new(exit.FollowUpError)),
		Warnings: t.warnings.Load(),
	}
	if out.err != nil {
		ended.Error, ended.Hint = t.redact.String(out.err.Error()), hint(out.err)
		ended.ExitCode = exit.Code(ctx, out.err)
	}
	err := t.audience.end(ctx, t.event(ended))
	if err != nil {
		t.emit(event.Unheard{Error: t.redact.String(err.Error())})
	}
	return err
}

func newSnapshot(s restic.Summary) event.Snapshot {
	return event.Snapshot{
		ID: s.SnapshotID, Bytes: s.TotalBytesProcessed, Added: s.DataAdded, Stored: s.DataAddedPacked,
		Duration: time.Duration(s.TotalDuration * float64(time.Second)),
		FilesNew: s.FilesNew, FilesChanged: s.FilesChanged, FilesUnmodified: s.FilesUnmodified,
	}
}

// details makes plain values of pairs, without secrets.
func (t *teller) details(pairs []any) []event.Detail {
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

// counted is a dump of which the bytes that pass are told.
func counted(tell *teller, produce func(context.Context, io.Writer) error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error { return produce(ctx, countedWriter{w, tell}) }
}

// countedWriter tells of the bytes that pass through it.
type countedWriter struct {
	w    io.Writer
	tell *teller
}

func (c countedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.tell.pass(n)
	return n, err
}

package audience

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// keeper is a listener that keeps whole events.
type keeper struct{ whats []event.What }

func (k *keeper) Hear(_ context.Context, e event.Event) error {
	k.whats = append(k.whats, e.What)
	return nil
}

func noHint(error) string { return "" }

// No event holds a secret, and none a value that only this program knows.
func TestTellerTellsPlainValues(t *testing.T) {
	var heard keeper
	tell := NewTeller(event.Run{}, secret.NewRedactor([]string{"s3cret!"}), &heard, noHint)
	tell.Note("a s3cret! note", "text", "s3cret!", "error", errors.New("wrong s3cret!"), "bytes", uint64(5), "since", time.Second)
	tell.Debug("debug s3cret!")
	tell.WarnOfDump("warn s3cret!")
	tell.Table("public.s3cret!", 3)
	began := time.Now()
	if err := tell.End(t.Context(), Outcome{Started: began, Summary: restic.Summary{SnapshotID: "1234", DataAdded: 7}, Err: exit.FollowUpError{Err: errors.New("s3cret! failed")}}); err != nil {
		t.Error(err)
	}
	want := []event.What{
		event.Note{Text: "a *** note", Details: []event.Detail{{Key: "text", Value: "***"}, {Key: "error", Value: "wrong ***"}, {Key: "bytes", Value: uint64(5)}, {Key: "since", Value: time.Second}}},
		event.Note{Text: "debug ***", Debug: true},
		event.Warning{Text: "warn ***"},
		event.Table{Name: "public.***", Rows: 3},
		event.Ended{Began: began, Snapshot: event.Snapshot{ID: "1234", Added: 7}, Safe: true, Warnings: 1, Error: "*** failed", ExitCode: exit.FollowUp},
	}
	if diff := cmp.Diff(want, heard.whats); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The bytes that pass are told once a second at most, and counted anew in each phase.
func TestTellerTellsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard keeper
		tell := NewTeller(event.Run{}, secret.NewRedactor(nil), &heard, noHint)
		for _, phase := range []event.PhaseName{event.Dump, event.Spool} {
			tell.Phase(phase)
			for range 25 { // a tenth of a second each
				tell.pass(10)
				time.Sleep(tellBytes / 10)
			}
		}
		want := []event.What{
			event.Phase{Name: event.Dump},
			event.Bytes{Passed: 110},
			event.Bytes{Passed: 210},
			event.Phase{Name: event.Spool},
			event.Bytes{Passed: 110},
			event.Bytes{Passed: 210},
		}
		if diff := cmp.Diff(want, heard.whats); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A log that stands still holds whoever writes to it, and not whoever reads the database: what has
// passed is told another time.
func TestPassDoesNotWaitForTheLog(t *testing.T) {
	writing, written := make(chan struct{}), make(chan struct{})
	log := &hearer{does: func(_ context.Context, e event.Event) error {
		if _, ok := e.What.(event.Note); ok {
			close(writing)
			<-written
		}
		return nil
	}}
	tell := NewTeller(event.Run{}, secret.NewRedactor(nil), log, noHint)
	tell.Phase(event.Dump)
	var noting sync.WaitGroup
	noting.Go(func() { tell.Note("the log's disk is away") })
	<-writing
	tell.passed.next.Store(0) // it is due
	tell.pass(10)
	tell.Table("public.t", 3)
	close(written)
	noting.Wait()
	if heard := log.words(); len(heard) != 2 {
		t.Errorf("the log has heard %q", heard)
	}
}

// A run that begins again bears other names, while restic's client and a stalled pipe still tell of
// it.
func TestTellerOfAnotherRun(t *testing.T) {
	tell := NewTeller(event.Run{Job: "before"}, secret.NewRedactor(nil), &keeper{}, noHint)
	var telling sync.WaitGroup
	telling.Go(func() { tell.Note("a note") })
	tell.Of(event.Run{Job: "after"})
	telling.Wait()
	if e := tell.event(event.Begun{}); e.Run.Job != "after" {
		t.Errorf("an event is of the run %q", e.Run.Job)
	}
}

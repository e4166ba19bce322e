package dumptest

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Options are how a suite loads a dump. The zero value is as the engine's own, but for Jobs.
type Options struct {
	Jobs  int
	Clean bool
	// Part is what of the dump is loaded. Tables are chosen by what the suite's Pattern returns.
	Part dump.Choice
	// Refused is told of what the server refuses, and the load goes on. nil: it ends there.
	Refused func(dump.Refusal)
	// Into and Warn are told what an engine's loader tells. nil: nobody is, and a warning is
	// logged.
	Into func(dump.Target)
	Warn func(string)
}

// A Loader is an engine's.
type Loader interface {
	dump.Loader
	Verify(r io.Reader) error
	Rehearse(ctx context.Context, r io.Reader) (dump.Rehearsal, error)
	Reach(ctx context.Context) error
}

// load loads a stream that has nothing wrong with it.
func (s Suite[D]) load(t *testing.T, db D, o Options, stream []byte) {
	t.Helper()
	if err := s.loader(t, db, o).Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Fatalf("load: %v", err)
	}
}

func (s Suite[D]) loader(t *testing.T, db D, o Options) Loader {
	t.Helper()
	if o.Warn == nil {
		o.Warn = func(text string) { t.Log("warning:", text) }
	}
	return s.Loader(t, db, o)
}

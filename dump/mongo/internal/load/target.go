package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A target is where a collection of the dump goes.
type target struct {
	from     collection // as the dump has it; of what the oplog makes there is none
	db, name string
	kind     targetKind
	metadata definition.Metadata
	without  int64 // of the dump's documents, those without an _id

	mu       sync.Mutex // for the sessions that insert
	inserted int64
	bytes    int64 // of the documents that were sent
	twice    int64 // of the dump's documents, those that came before, or whose _id did and that the oplog settles
	others   int64 // and those that are left out, see refused.go
	warned   bool  // of timestamps
}

// add adds to one of the numbers that the sessions count.
func (t *target) add(number *int64, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*number += int64(n)
}

// A targetKind is what a collection is where it goes.
type targetKind int

const (
	targetCollection targetKind = iota
	targetTimeSeries
	targetView
	targetAuth
)

func (t *target) namespace() string { return t.db + "." + t.name }

// dataName is the collection that the documents go into, on a server of that version.
func (t *target) dataName(version version.Number) string {
	return version.DataName(t.from.kind, t.name)
}

// newTarget says where a collection of the dump goes, and as what.
func (s *loading) newTarget(c collection) (*target, error) {
	t := &target{from: c, db: c.db, name: c.name}
	switch {
	case slices.ContainsFunc(s.cfg.Renamings, func(r namespace.Renaming) bool { return r.From.Matches(c.namespace()) }):
		t.db, t.name, _ = strings.Cut(namespace.Rename(s.cfg.Renamings, c.namespace()), ".")
	case s.cfg.Database != "":
		t.db = s.cfg.Database
	}
	if s.cfg.Database != "" && t.db != s.cfg.Database {
		return nil, fmt.Errorf("into database %s: it would be renamed to %s: %w", shown.Name(s.cfg.Database), shown.Name(t.namespace()), ErrOutside)
	}
	if t.db == "" || t.name == "" || namespace.CheckDatabase(t.db) != nil || strings.Contains(t.name, "\x00") {
		return nil, fmt.Errorf("%+q is no name to load it under", t.namespace())
	}
	if t.db != c.db && namespace.IsOwnDatabase(t.db) {
		return nil, fmt.Errorf("it would go to %s, in a database that is the server's own", shown.Name(t.namespace()))
	}
	var err error
	if t.metadata, err = definition.Parse(c.metadata); err != nil {
		return nil, fmt.Errorf("its metadata: %w", err)
	}
	var notes []string
	if t.metadata.Indexes, notes, err = definition.ModernIndexes(t.metadata.Indexes); err != nil {
		return nil, fmt.Errorf("its metadata: %w", err)
	}
	for _, note := range notes {
		s.cfg.Warn(shown.Name(t.namespace()) + ": " + note)
	}
	options := t.metadata.Options
	switch {
	case document.Has(options, "viewOn"):
		t.kind = targetView
	case document.Has(options, "timeseries"):
		t.kind = targetTimeSeries
	}
	elements, _ := options.Elements()
	for _, e := range elements {
		if strings.HasPrefix(e.Key(), "$") { // of a command: $db says which database it is for
			return nil, fmt.Errorf("its option %s is none of a collection", shown.Name(e.Key()))
		}
	}
	if (t.kind == targetTimeSeries) != (c.kind == "timeseries") {
		return nil, errors.New("its type and its options say different things")
	}
	return t, nil
}

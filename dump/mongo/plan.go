package mongo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A target is where a collection of the archive goes.
type target struct {
	*archive.Collection // as in the archive

	db, name string
	kind     targetKind
	metadata definition.Metadata
	inserted int64
	twice    int64 // of the dump's documents, those that came before, or whose _id did and that the oplog settles
	others   int64 // and those that are left out, see refused.go
	warned   bool  // of timestamps
	without  int64 // of the dump's documents, those without an _id
}

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
	return version.DataName(t.Type, t.name)
}

// selects tells whether less than all of the archive is loaded, or under other names.
func (s *loading) selects() bool { return !s.filter.All() || len(s.renamings) > 0 }

// makePlan says for each collection of the archive where it goes.
func (s *loading) makePlan() error {
	s.targets = map[*archive.Collection]*target{}
	taken := map[string]string{} // the namespaces in the archive, by those they go to
	var loadable []string
	usersLeft, described := false, 0
	prelude := s.archive.Prelude()
	own := s.goesHome(prelude)
	if s.cfg.Database != "" && s.isOfSeveral(prelude) {
		return ErrManyDatabases
	}
	for i := range prelude.Collections {
		c := &prelude.Collections[i]
		switch {
		case c.DB == "" && c.Name == "oplog":
			s.planOplog(c)
			continue
		case authName(c) != "":
			if s.selects() || !own {
				usersLeft = true // of all that goes elsewhere or is left out, nobody knows whose they would be
				continue
			}
			s.planUsers(c)
			continue
		case !namespace.IsLoaded(c.DB, c.Name):
			continue
		}
		loadable = append(loadable, c.Namespace())
		if !s.filter.Wants(c.Namespace()) {
			continue
		}
		if c.Type != "" && !slices.Contains(definition.CollectionTypes, c.Type) {
			s.cfg.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is restored like a collection", shown.Name(c.Namespace()), shown.Name(c.Type)))
		}
		t, err := s.newTarget(c)
		if err != nil {
			return fmt.Errorf("%s: %w", shown.Name(c.Namespace()), err)
		}
		if described += t.metadata.Size(); described > server.MostListed { // numbers in JSON may be shorter than what they become
			return fmt.Errorf("%s: with its metadata there are more than the %d bytes that a dump has", shown.Name(c.Namespace()), server.MostListed)
		}
		if other, ok := taken[t.namespace()]; ok {
			return fmt.Errorf("%s and %s would both go to %s", shown.Name(other), shown.Name(c.Namespace()), shown.Name(t.namespace()))
		}
		taken[t.namespace()] = c.Namespace()
		s.plan = append(s.plan, t)
		s.targets[c] = t
	}
	if usersLeft {
		s.cfg.Warn("the dump's users and roles are left out, as less than all of the dump is restored, or elsewhere: a restore of the whole dump under its own names brings them")
	}
	return s.checkSelection(loadable)
}

// goesHome tells whether all of the dump goes where its users and roles are known:
// to a server, or that of one database into the database of that name.
func (s *loading) goesHome(prelude *archive.Prelude) bool {
	return s.cfg.Database == "" || !slices.ContainsFunc(prelude.Collections, func(c archive.Collection) bool { return c.DB != s.cfg.Database })
}

// isOfSeveral tells whether what is loaded of the dump comes from several databases.
func (s *loading) isOfSeveral(prelude *archive.Prelude) bool {
	first := ""
	for i := range prelude.Collections {
		c := &prelude.Collections[i]
		if authName(c) != "" || !namespace.IsLoaded(c.DB, c.Name) || !s.filter.Wants(c.Namespace()) {
			continue
		}
		if first != "" && c.DB != first {
			return true
		}
		first = c.DB
	}
	return false
}

// planOplog takes note that there is an oplog. It is of all that was dumped,
// under the names that it had.
func (s *loading) planOplog(c *archive.Collection) {
	if s.selects() || s.cfg.Database != "" {
		s.cfg.Warn("the dump's oplog is not replayed, as less than all of the dump is loaded or under other names: documents are as they were when each was read")
		return
	}
	s.oplogOf = c
}

func (s *loading) newTarget(c *archive.Collection) (*target, error) {
	t := &target{Collection: c, db: c.DB, name: c.Name}
	switch {
	case slices.ContainsFunc(s.renamings, func(r namespace.Renaming) bool { return r.From.Matches(c.Namespace()) }):
		t.db, t.name, _ = strings.Cut(namespace.Rename(s.renamings, c.Namespace()), ".")
	case s.cfg.Database != "":
		t.db = s.cfg.Database
	}
	if s.cfg.Database != "" && t.db != s.cfg.Database {
		return nil, fmt.Errorf("into database %s: it would be renamed to %s: %w", shown.Name(s.cfg.Database), shown.Name(t.namespace()), ErrOutside)
	}
	if t.db == "" || t.name == "" || namespace.CheckDatabase(t.db) != nil || strings.Contains(t.name, "\x00") {
		return nil, fmt.Errorf("%+q is no name to load it under", t.namespace())
	}
	if t.db != c.DB && namespace.IsOwnDatabase(t.db) {
		return nil, fmt.Errorf("it would go to %s, in a database that is the server's own", shown.Name(t.namespace()))
	}
	var err error
	if t.metadata, err = definition.Parse(c.Metadata); err != nil {
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
	if (t.kind == targetTimeSeries) != (c.Type == "timeseries") {
		return nil, errors.New("its type and its options say different things")
	}
	return t, nil
}

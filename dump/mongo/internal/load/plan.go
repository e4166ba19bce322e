package load

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// selects tells whether less than all of the archive is loaded, or under other names.
func (s *loading) selects() bool { return !s.cfg.Filter.All() || len(s.cfg.Renamings) > 0 }

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
		case c.IsOplog():
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
		if !s.cfg.Filter.Wants(c.Namespace()) {
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

// goesHome tells whether all of the dump goes where its users and roles are known: to a server, or
// that of one database into the database of that name.
func (s *loading) goesHome(prelude *archive.Prelude) bool {
	return s.cfg.Database == "" || !slices.ContainsFunc(prelude.Collections, func(c archive.Collection) bool { return c.DB != s.cfg.Database })
}

// isOfSeveral tells whether what is loaded of the dump comes from several databases.
func (s *loading) isOfSeveral(prelude *archive.Prelude) bool {
	first := ""
	for i := range prelude.Collections {
		c := &prelude.Collections[i]
		if authName(c) != "" || !namespace.IsLoaded(c.DB, c.Name) || !s.cfg.Filter.Wants(c.Namespace()) {
			continue
		}
		if first != "" && c.DB != first {
			return true
		}
		first = c.DB
	}
	return false
}

// planOplog takes note that there is an oplog. It is of all that was dumped, under the names that
// it had.
func (s *loading) planOplog(c *archive.Collection) {
	if s.selects() || s.cfg.Database != "" {
		s.cfg.Warn("the dump's oplog is not replayed, as less than all of the dump is loaded or under other names: documents are as they were when each was read")
		return
	}
	s.oplogOf = c
}

package load

import (
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// selects tells whether less than all of the dump is loaded, or under other names.
func (s *loading) selects() bool { return !s.cfg.Filter.All() || len(s.cfg.Renamings) > 0 }

// makePlan says for each collection that the dump announces where it goes.
func (s *loading) makePlan(announced []collection) error {
	s.targets = map[source]*target{}
	taken := map[string]string{} // the namespaces in the dump, by those they go to
	var loadable []string
	usersLeft, described := false, 0
	own := s.goesHome(announced)
	if s.cfg.Database != "" && s.isOfSeveral(announced) {
		return ErrManyDatabases
	}
	for _, c := range announced {
		switch {
		case c.isOplog():
			s.planOplog()
			continue
		case authName(c) != "":
			if s.selects() || s.cfg.SchemaOnly || !own {
				usersLeft = true // of all that goes elsewhere or is left out, nobody knows whose they would be
				continue
			}
			s.planUsers(c)
			continue
		case !namespace.IsLoaded(c.db, c.name):
			continue
		}
		loadable = append(loadable, c.namespace())
		if !s.cfg.Filter.Wants(c.namespace()) {
			continue
		}
		if c.kind != "" && !slices.Contains(definition.CollectionTypes, c.kind) {
			s.cfg.Warn(fmt.Sprintf("%s is of a kind that this program does not know: %s; it is restored like a collection", shown.Name(c.namespace()), shown.Name(c.kind)))
		}
		t, err := s.newTarget(c)
		if err != nil {
			return fmt.Errorf("%s: %w", shown.Name(c.namespace()), err)
		}
		if described += t.metadata.Size(); described > server.MostListed { // numbers in JSON may be shorter than what they become
			return fmt.Errorf("%s: with its metadata there are more than the %d bytes that a dump has", shown.Name(c.namespace()), server.MostListed)
		}
		if other, ok := taken[t.namespace()]; ok {
			return fmt.Errorf("%s and %s would both go to %s", shown.Name(other), shown.Name(c.namespace()), shown.Name(t.namespace()))
		}
		taken[t.namespace()] = c.namespace()
		s.plan = append(s.plan, t)
		if !s.cfg.SchemaOnly {
			s.targets[c.source] = t
		}
	}
	if usersLeft {
		s.cfg.Warn("the dump's users and roles are left out, as less than all of the dump is restored, or elsewhere: a restore of the whole dump under its own names brings them")
	}
	return s.checkSelection(loadable)
}

// goesHome tells whether all of the dump goes where its users and roles are known: to a server, or
// that of one database into the database of that name.
func (s *loading) goesHome(announced []collection) bool {
	return s.cfg.Database == "" || !slices.ContainsFunc(announced, func(c collection) bool { return c.db != s.cfg.Database })
}

// isOfSeveral tells whether what is loaded of the dump comes from several databases.
func (s *loading) isOfSeveral(announced []collection) bool {
	first := ""
	for _, c := range announced {
		if authName(c) != "" || !namespace.IsLoaded(c.db, c.name) || !s.cfg.Filter.Wants(c.namespace()) {
			continue
		}
		if first != "" && c.db != first {
			return true
		}
		first = c.db
	}
	return false
}

// planOplog takes note that there is an oplog. It is of all that was dumped, under the names that
// it had.
func (s *loading) planOplog() {
	if s.cfg.SchemaOnly {
		s.cfg.Warn("the dump's oplog is not replayed, as no documents are loaded: collections and indexes are as they were when the dump began")
		return
	}
	if s.selects() || s.cfg.Database != "" {
		s.cfg.Warn("the dump's oplog is not replayed, as less than all of the dump is loaded or under other names: documents are as they were when each was read")
		return
	}
	s.replays = true
}

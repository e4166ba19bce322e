package load

import (
	"errors"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A filling is the rows of one COPY: what the server took, or without a server what was read.
type filling struct {
	database string            // empty in a dump of one
	table    string            // see qualified; empty: it is none that this package writes
	parents  map[string]string // of that database's partitions
	missing  bool              // there is nothing: the server has refused them
	dump.Tally
}

// enter begins what comes of another database: the planner has seen nothing of it yet.
func (s *loading) enter(database string) {
	s.planner = newPlanner()
	if s.dump.Form == script.Cluster {
		s.database = database
	}
}

// filling is that of an item's rows; nil: the server has none.
func (s *loading) filling(item dump.Item, rows *dump.Tally) filling {
	f := filling{database: s.database, parents: s.planner.parents, missing: rows == nil}
	if rows != nil {
		f.Tally = *rows
	}
	if table := copied(item.Text); table != nil {
		f.table = table.String()
	}
	return f
}

// isOf tells whether the rows are those of a table by the name that a manifest has for it. Those of
// a partition may have gone into what it is a part of, see catalog.Relation.Into.
func (f *filling) isOf(name string) bool {
	of := manifestName(name)
	if f.database != "" {
		if len(of) == 0 || of[0] != server.Ident(f.database) {
			return false
		}
		of = of[1:]
	}
	for table := of.String(); table != ""; table = f.parents[table] {
		if table == f.table {
			return true
		}
	}
	return false
}

// manifestName reads a table's name as a manifest has it: in a cluster's dump behind that of its
// database.
func manifestName(name string) (list qualified) {
	for t := script.NewTokens(name); ; {
		list = append(list, identifier(t.Next()))
		if t.Next() != "." {
			return list
		}
	}
}

// compare holds what was loaded, or read, against the manifest, which lists the tables in the order
// of their COPY statements. Those of which nothing is there are noted as missing.
func (s *loading) compare() error {
	if len(s.loaded) != len(s.manifest) {
		return fmt.Errorf("the manifest lists %d tables, the dump had rows for %d", len(s.manifest), len(s.loaded))
	}
	var errs []error
	for i, t := range s.manifest {
		f := &s.loaded[i]
		// A dump of rows alone does not say what is a part of what.
		if s.dump.Form != script.RowsAlone && !f.isOf(t.Name) {
			errs = append(errs, fmt.Errorf("the dump has rows of %s where its manifest lists table %s", f.table, t.Name))
			continue
		}
		if f.missing {
			s.missing = append(s.missing, dump.Table{Name: t.Name, Rows: t.Rows})
			continue
		}
		errs = append(errs, t.Compare(f.Rows, f.Hash))
	}
	return errors.Join(errs...)
}

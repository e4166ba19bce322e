package load

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// dependents looks at what stays and rests on what is dropped for a part of a dump. A sequence that
// is set back hands out values again that a table which stays has long had: that is refused. Rows
// that a foreign key has refer to what may not come back are told of, by their tables.
func (s *loading) dependents(ctx context.Context, objects []object) error {
	if err := s.takenFrom(ctx, objects); err != nil {
		return err
	}
	dropped := func(db, table string) bool {
		return slices.ContainsFunc(objects, func(o object) bool {
			return o.kind == "TABLE" && s.srv.Fold(o.database) == s.srv.Fold(db) && s.srv.Fold(o.name) == s.srv.Fold(table)
		})
	}
	var refer []string
	for _, db := range databasesOf(objects, "TABLE") {
		rows, err := s.conn.List(ctx, "SELECT DISTINCT constraint_schema AS db, table_name AS name, referenced_table_name AS of_table FROM information_schema.referential_constraints WHERE "+
			s.srv.DatabaseIs("unique_constraint_schema", db)+" ORDER BY 1, 2, 3")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if name := r["db"] + "." + r["name"]; dropped(db, r["of_table"]) && !dropped(r["db"], r["name"]) && !slices.Contains(refer, name) {
				refer = append(refer, name)
			}
		}
	}
	if len(refer) > 0 {
		s.cfg.Warn("foreign keys of these tables refer to what is dropped and made anew, and nothing checks that the rows they refer to are there again: " + dump.Listed(refer))
	}
	return nil
}

// takenFrom refuses to drop a sequence that was not asked for and of which a table that stays takes
// values.
func (s *loading) takenFrom(ctx context.Context, objects []object) error {
	if s.cfg.Part.Including() {
		return nil
	}
	for _, db := range databasesOf(objects, "SEQUENCE") {
		rows, err := s.conn.List(ctx, "SELECT table_name AS name, column_default AS value FROM information_schema.columns WHERE column_default LIKE '%nextval(%' AND "+
			s.srv.DatabaseIs("table_schema", db)+" ORDER BY 1")
		if err != nil {
			return err
		}
		for _, o := range objects {
			if o.kind != "SEQUENCE" || o.database != db {
				continue
			}
			call := s.srv.Fold("nextval(" + quote.Name(db) + "." + quote.Name(o.name) + ")")
			for _, r := range rows {
				if strings.Contains(s.srv.Fold(r["value"]), call) && !slices.Contains(objects, object{"TABLE", db, r["name"]}) {
					return fmt.Errorf("database %s: sequence %s would be dropped and set back, and table %s, which stays, takes values of it: exclude %[2]s as well", db, o.name, r["name"])
				}
			}
		}
	}
	return nil
}

// databasesOf are those that there is something of a kind in.
func databasesOf(objects []object, kind string) (names []string) {
	for _, o := range objects {
		if o.kind == kind && !slices.Contains(names, o.database) {
			names = append(names, o.database)
		}
	}
	return names
}

package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Rows alone come table by table, children before their parents, so that the servers cannot check
// foreign keys meanwhile, and never do it later. What they would have refused is looked for when
// all rows are there: a join of two tables, by the keys that foreign keys need, runs nothing of the
// users'. The target lives, and what was loaded stays whatever is found: the look has a bound, and
// an end in warnings.

// orphansTime bounds the look at all foreign keys.
const orphansTime = time.Minute

// A reference is a foreign key.
type reference struct {
	database, table, name string
	parent                string // the table referred to, in quotes
	columns, referred     []string
}

// fill takes note of a table that rows come for.
func (s *loading) fill(item dump.Item) {
	database, name := item.Database, item.Table
	if s.cfg.Database != "" {
		database = s.cfg.Database
	}
	if item.Database != "" {
		name = strings.TrimPrefix(name, quote.Name(item.Database)+".")
	}
	if quoted, _, ok := quote.CutName(name); ok {
		name = quote.Unquoted(quoted)
	}
	if s.filled[database] == nil {
		s.filled[database] = make(map[string]bool)
	}
	s.filled[database][s.srv.Fold(name)] = true
}

// warnOfOrphans names the foreign keys of tables that rows came for which have rows that refer to
// none, and those of which it is not known.
func (s *loading) warnOfOrphans(ctx context.Context) error {
	if s.cfg.Part == nil || !s.cfg.Part.DataOnly {
		return nil
	}
	end := time.Now().Add(orphansTime)
	var orphaned, unknown []string
	var why error
	for database, tables := range s.filled {
		references, err := s.referencesOf(ctx, database, tables)
		if err != nil {
			unknown, why = append(unknown, "those of database "+database), err
		}
		for _, r := range references {
			found, err := s.hasOrphans(ctx, r, time.Until(end))
			switch what := r.database + "." + r.table + " (" + r.name + ")"; {
			case err != nil:
				unknown, why = append(unknown, what), err
			case found:
				orphaned = append(orphaned, what)
			}
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	slices.Sort(orphaned)
	slices.Sort(unknown)
	if len(orphaned) > 0 {
		s.cfg.Warn("rows of these tables refer to rows that are not there, by these foreign keys: " + dump.Listed(orphaned))
	}
	if len(unknown) > 0 {
		s.cfg.Warn(fmt.Sprintf("whether all rows have what these foreign keys refer to is not known: %s: %v", dump.Listed(unknown), why))
	}
	return nil
}

// referencesOf are the foreign keys of tables of a database.
func (s *loading) referencesOf(ctx context.Context, database string, tables map[string]bool) (all []*reference, err error) {
	rows, err := s.conn.List(ctx, "SELECT table_name AS name, constraint_name AS k, column_name AS c, referenced_table_schema AS d, referenced_table_name AS p, referenced_column_name AS r "+
		"FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL AND "+s.srv.DatabaseIs("table_schema", database)+" ORDER BY 1, 2, ordinal_position")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if !tables[s.srv.Fold(r["name"])] {
			continue
		}
		if len(all) == 0 || all[len(all)-1].table != r["name"] || all[len(all)-1].name != r["k"] {
			all = append(all, &reference{database: database, table: r["name"], name: r["k"], parent: quote.Name(r["d"]) + "." + quote.Name(r["p"])})
		}
		of := all[len(all)-1]
		of.columns, of.referred = append(of.columns, "c."+quote.Name(r["c"])), append(of.referred, "p."+quote.Name(r["r"]))
	}
	return all, nil
}

// hasOrphans tells whether a row refers to none. One with a NULL refers to nothing.
func (s *loading) hasOrphans(ctx context.Context, r *reference, within time.Duration) (bool, error) {
	if within < time.Second {
		return false, fmt.Errorf("it takes more than %v to look", orphansTime)
	}
	var on []string
	for i, c := range r.columns {
		on = append(on, c+" = "+r.referred[i])
	}
	begin, hint := "", fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */ ", within.Milliseconds())
	if s.srv.IsMariaDB() {
		begin, hint = fmt.Sprintf("SET STATEMENT max_statement_time = %d FOR ", int(within.Seconds())), ""
	}
	rows, err := s.conn.List(ctx, begin+"SELECT "+hint+"1 AS found FROM "+quote.Name(r.database)+"."+quote.Name(r.table)+" AS c LEFT JOIN "+r.parent+" AS p ON "+strings.Join(on, " AND ")+
		" WHERE "+strings.Join(r.columns, " IS NOT NULL AND ")+" IS NOT NULL AND "+r.referred[0]+" IS NULL LIMIT 1")
	return len(rows) > 0, err
}

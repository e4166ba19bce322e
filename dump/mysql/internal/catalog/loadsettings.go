package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// What a dump needs of the session that loads it it says itself, for the servers' own clients: what
// a server's defaults would refuse of it, or make another of. This program's restore has all of it
// anyway (settings.go). Settings that take a right are only there for dumps that need them, or
// nobody without it could load any.

// Needs returns the statements with which a session can load the databases.
func (c *Reader) Needs(ctx context.Context, databases []*Database) ([]string, error) {
	list := []string{
		"SET foreign_key_checks = 0, unique_checks = 0, completion_type = 0",
		"SET SESSION TRANSACTION READ WRITE",
	}
	if c.Conn.IsMariaDB() {
		// Rows that break a constraint are there when the constraint came later.
		list = append(list, "SET check_constraint_checks = 0, innodb_strict_mode = 0")
		if anyTable(databases, func(t *Table) bool { return t.History }) {
			list = append(list, "SET system_versioning_insert_history = 1")
		}
		if anyTable(databases, func(t *Table) bool { return t.Versioned && t.zone != "" }) {
			list = append(list, "SET system_versioning_alter_history = KEEP")
		}
		if anyTable(databases, func(t *Table) bool { return t.Definition.HasBareTimestamp() }) {
			list = append(list, "/*!100609 SET explicit_defaults_for_timestamp = 1 */")
		}
		return list, nil
	}
	if anyTable(databases, func(t *Table) bool { return t.Definition.HasBareTimestamp() }) {
		list = append(list, "SET explicit_defaults_for_timestamp = 1")
	}
	if anyTable(databases, func(t *Table) bool { return !t.Definition.HasPrimaryKey() }) {
		list = append(list, "/*!80013 SET sql_require_primary_key = 0 */", "/*!80030 SET sql_generate_invisible_primary_key = 0 */")
	}
	if refersToNonStandardKeys(databases) {
		list = append(list, "/*!80400 SET restrict_fk_on_non_standard_key = 0 */")
	}
	var strict bool
	if err := c.Conn.Row(ctx, "SELECT @@GLOBAL.innodb_strict_mode", &strict); err != nil {
		return nil, fmt.Errorf("read the server's innodb_strict_mode: %w", err)
	}
	if !strict || anyTable(databases, func(t *Table) bool { return strings.EqualFold(t.Engine, "InnoDB") && t.Definition.HasRefusedFormat() }) {
		list = append(list, "SET innodb_strict_mode = 0")
	}
	return list, nil
}

// refersToNonStandardKeys tells whether a foreign key refers to columns that are no unique key.
func refersToNonStandardKeys(databases []*Database) bool {
	unique := make(map[string]bool) // by table and columns
	for _, db := range databases {
		for _, t := range db.Tables {
			for _, e := range t.Definition.Elements {
				if columns, ok := ddl.UniqueColumns(e); ok {
					unique[strings.ToLower(t.Qualified()+" "+columns)] = true
				}
			}
		}
	}
	for _, db := range databases {
		for _, t := range db.Tables {
			for _, e := range t.Definition.Elements {
				k, ok := ddl.ParseForeignKey(e)
				if !ok {
					continue
				}
				if k.Database == "" {
					k.Database = quote.Name(db.Name)
				}
				if !unique[strings.ToLower(k.Database+"."+k.Table+" "+ddl.ReferredColumns(e))] {
					return true
				}
			}
		}
	}
	return false
}

// anyTable tells whether a table of the databases is like that.
func anyTable(databases []*Database, like func(*Table) bool) bool {
	return firstTable(databases, like) != nil
}

func firstTable(databases []*Database, like func(*Table) bool) *Table {
	for _, db := range databases {
		if i := slices.IndexFunc(db.Tables, like); i >= 0 {
			return db.Tables[i]
		}
	}
	return nil
}

package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// What a dump needs of the session that loads it it says itself, for the servers' own clients: what a server's defaults
// would refuse of it, or make another of. This program's restore has all of it anyway (settings.go). Settings that take
// a right are only there for dumps that need them, or nobody without it could load any.

// needs returns the statements with which a session can load the databases.
func (c *catalog) needs(ctx context.Context, databases []*database) ([]string, error) {
	list := []string{
		"SET foreign_key_checks = 0, unique_checks = 0, completion_type = 0",
		"SET SESSION TRANSACTION READ WRITE",
	}
	if c.conn.IsMariaDB() {
		// Rows that break a constraint are there when the constraint came later.
		list = append(list, "SET check_constraint_checks = 0, innodb_strict_mode = 0")
		if anyTable(databases, func(t *table) bool { return t.history }) {
			list = append(list, "SET system_versioning_insert_history = 1")
		}
		if anyTable(databases, func(t *table) bool { return t.versioned && t.zone != "" }) {
			list = append(list, "SET system_versioning_alter_history = KEEP")
		}
		if anyTable(databases, func(t *table) bool { return t.definition.HasBareTimestamp() }) {
			list = append(list, "/*!100609 SET explicit_defaults_for_timestamp = 1 */")
		}
		return list, nil
	}
	if anyTable(databases, func(t *table) bool { return t.definition.HasBareTimestamp() }) {
		list = append(list, "SET explicit_defaults_for_timestamp = 1")
	}
	if anyTable(databases, func(t *table) bool { return !t.definition.HasPrimaryKey() }) {
		list = append(list, "/*!80013 SET sql_require_primary_key = 0 */", "/*!80030 SET sql_generate_invisible_primary_key = 0 */")
	}
	if refersToNonStandardKeys(databases) {
		list = append(list, "/*!80400 SET restrict_fk_on_non_standard_key = 0 */")
	}
	var strict bool
	if err := c.conn.Row(ctx, "SELECT @@GLOBAL.innodb_strict_mode", &strict); err != nil {
		return nil, fmt.Errorf("read the server's innodb_strict_mode: %w", err)
	}
	if !strict || anyTable(databases, func(t *table) bool { return strings.EqualFold(t.engine, "InnoDB") && t.definition.HasRefusedFormat() }) {
		list = append(list, "SET innodb_strict_mode = 0")
	}
	return list, nil
}

// refersToNonStandardKeys tells whether a foreign key refers to columns that are no unique key.
func refersToNonStandardKeys(databases []*database) bool {
	unique := make(map[string]bool) // by table and columns
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.Elements {
				if columns, ok := ddl.UniqueColumns(e); ok {
					unique[strings.ToLower(t.qualified()+" "+columns)] = true
				}
			}
		}
	}
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.Elements {
				k, ok := ddl.ParseForeignKey(e)
				if !ok {
					continue
				}
				if k.Database == "" {
					k.Database = quote.Name(db.name)
				}
				if !unique[strings.ToLower(k.Database+"."+k.Table+" "+ddl.ReferredColumns(e))] {
					return true
				}
			}
		}
	}
	return false
}

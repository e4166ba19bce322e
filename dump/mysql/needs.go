package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
		if anyTable(databases, hasBareTimestamp) {
			list = append(list, "/*!100609 SET explicit_defaults_for_timestamp = 1 */")
		}
		return list, nil
	}
	if anyTable(databases, hasBareTimestamp) {
		list = append(list, "SET explicit_defaults_for_timestamp = 1")
	}
	if anyTable(databases, func(t *table) bool { return !t.definition.hasPrimaryKey() }) {
		list = append(list, "/*!80013 SET sql_require_primary_key = 0 */", "/*!80030 SET sql_generate_invisible_primary_key = 0 */")
	}
	if refersToNonStandardKeys(databases) {
		list = append(list, "/*!80400 SET restrict_fk_on_non_standard_key = 0 */")
	}
	var strict bool
	if err := c.conn.Row(ctx, "SELECT @@GLOBAL.innodb_strict_mode", &strict); err != nil {
		return nil, fmt.Errorf("read the server's innodb_strict_mode: %w", err)
	}
	if !strict || anyTable(databases, hasRefusedFormat) {
		list = append(list, "SET innodb_strict_mode = 0")
	}
	return list, nil
}

func (d definition) hasPrimaryKey() bool {
	return slices.ContainsFunc(d.elements, func(e string) bool { return strings.HasPrefix(e, "PRIMARY KEY ") })
}

var bareTimestamp = regexp.MustCompile(`^ timestamp(\([0-9]\))? NOT NULL\b`)

// hasBareTimestamp tells whether a column is one to which a server may give a default that it does not have.
func hasBareTimestamp(t *table) bool {
	return slices.ContainsFunc(t.definition.elements, func(e string) bool {
		_, rest, ok := quote.CutName(e)
		return ok && bareTimestamp.MatchString(rest) && !strings.Contains(quote.Emptied(rest), " DEFAULT ")
	})
}

// refusedFormat are a table's options that a strict server may refuse: by other options, its page size, its tablespace.
var refusedFormat = regexp.MustCompile(`\b(KEY_BLOCK_SIZE|ROW_FORMAT=(COMPRESSED|FIXED|PAGE|DEFAULT))\b`)

func hasRefusedFormat(t *table) bool {
	return strings.EqualFold(t.engine, "InnoDB") && refusedFormat.MatchString(quote.Emptied(t.definition.tail))
}

// refersToNonStandardKeys tells whether a foreign key refers to columns that are no unique key.
func refersToNonStandardKeys(databases []*database) bool {
	unique := make(map[string]bool) // by table and columns
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.elements {
				if columns, ok := uniqueColumns(e); ok {
					unique[strings.ToLower(t.qualified()+" "+columns)] = true
				}
			}
		}
	}
	for _, db := range databases {
		for _, t := range db.tables {
			for _, e := range t.definition.elements {
				k, ok := parseForeignKey(e)
				if !ok {
					continue
				}
				if k.database == "" {
					k.database = quote.Name(db.name)
				}
				if !unique[strings.ToLower(k.database+"."+k.table+" "+referredColumns(e))] {
					return true
				}
			}
		}
	}
	return false
}

// uniqueColumns returns the columns of a unique key, as its definition has them.
func uniqueColumns(element string) (string, bool) {
	rest, ok := strings.CutPrefix(element, "PRIMARY KEY (")
	if !ok {
		if rest, ok = strings.CutPrefix(element, "UNIQUE KEY "); ok {
			_, rest, ok = quote.CutName(rest)
			rest = strings.TrimPrefix(rest, " (")
		}
	}
	if !ok {
		return "", false
	}
	columns, _, ok := strings.Cut(rest, ")")
	return columns, ok
}

// referredColumns returns the columns to which a foreign key refers, in the form of uniqueColumns.
func referredColumns(element string) string {
	at := quote.Index(element, " REFERENCES ")
	if at < 0 {
		return ""
	}
	_, columns, _ := strings.Cut(element[at:], " (")
	columns, _, _ = strings.Cut(columns, ")")
	return strings.ReplaceAll(columns, ", ", ",")
}

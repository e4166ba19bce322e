package cluster

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// grantOn is a privilege on one table, view or program: what on, of what kind, in which database.
var grantOn = regexp.MustCompile("^(?:GRANT|REVOKE) (.+?) ON (TABLE |FUNCTION |PROCEDURE |PACKAGE |PACKAGE BODY |LIBRARY )?(`(?:[^`]|``)+`)\\.(`(?:[^`]|``)+`) (?:TO|FROM) ")

// privilegeColumns are those of a privilege on columns: SELECT (`a`, `b`).
var privilegeColumns = regexp.MustCompile("\\(((?:`(?:[^`]|``)+`(?:, ?)?)+)\\)")

// lost tells why no server takes a privilege: what it is on is gone, and the servers keep it all
// the same. A database of the server's own has what it has.
func lost(grant string, databases []*catalog.Database) error {
	m := grantOn.FindStringSubmatch(grant)
	if m == nil {
		return nil
	}
	name := quote.Unquoted(m[4])
	i := slices.IndexFunc(databases, func(db *catalog.Database) bool { return quote.Name(db.Name) == m[3] })
	switch {
	case server.Info{}.IsSystemSchema(quote.Unquoted(m[3])):
		return nil
	case m[2] != "" && m[2] != "TABLE ":
		kind := strings.TrimSpace(m[2])
		if i < 0 || !slices.ContainsFunc(databases[i].Routines, func(p catalog.Program) bool { return p.Kind == kind && strings.EqualFold(p.Name, name) }) {
			return fmt.Errorf("there is no %s %s.%s any more", strings.ToLower(kind), m[3], m[4])
		}
		return nil
	case i < 0:
		return gone(m)
	}
	db := databases[i]
	columns, known, there := columnsOf(db, name)
	if !there {
		return gone(m)
	}
	for _, list := range privilegeColumns.FindAllStringSubmatch(m[1], -1) {
		for rest := list[1]; known && rest != ""; rest = strings.TrimLeft(rest, ", ") {
			var column string
			if column, rest, _ = quote.CutName(rest); !ddl.HasColumn(columns, column) {
				return fmt.Errorf("%s.%s has no column %s any more", m[3], m[4], column)
			}
		}
	}
	return nil
}

// gone is why a privilege on a table that is not there is lost: unless it is one to make it.
func gone(m []string) error {
	if privileges := strings.Split(m[1], ", "); slices.Contains(privileges, "CREATE") || slices.Contains(privileges, "ALL PRIVILEGES") {
		return nil
	}
	return fmt.Errorf("there is no table %s.%s any more", m[3], m[4])
}

// columnsOf returns the quoted columns of a table or view, where they are known.
func columnsOf(db *catalog.Database, name string) (columns []string, known, there bool) {
	quoted := quote.Name(name)
	for _, t := range db.Tables {
		if t.Name == quoted {
			for _, e := range t.Definition.Elements {
				if column, _, ok := quote.CutName(e); ok {
					columns = append(columns, column)
				}
			}
			return columns, !t.Versioned, true
		}
	}
	there = db.UnknownTables > 0 || slices.ContainsFunc(db.Sequences, func(s catalog.Sequence) bool { return s.Name == name }) ||
		slices.ContainsFunc(db.Views, func(v catalog.View) bool { return v.Name == name })
	return nil, false, there
}

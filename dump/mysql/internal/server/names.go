package server

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Names that differ only in case or in accents are one name to information_schema, and two
// databases to the server, where its file system tells them apart. So every query of it holds the
// names byte for byte against the one that was asked for, and asks for that name as well: by it
// alone MariaDB knows which folder to look into.

// NameIs is the condition that a column of information_schema has a name that the server has told,
// byte for byte.
func NameIs(column, name string) string {
	return fmt.Sprintf("%[1]s = %[2]s AND CAST(%[1]s AS BINARY) = CAST(%[2]s AS BINARY)", column, quote.Literal(name))
}

// DatabaseIs is the condition that a column has a database's name, as the server tells them apart.
func (s Info) DatabaseIs(column, name string) string {
	if !s.folds {
		return NameIs(column, name)
	}
	return fmt.Sprintf("%[1]s = %[2]s AND CAST(LOWER(%[1]s) AS BINARY) = CAST(LOWER(%[2]s) AS BINARY)", column, quote.Literal(name))
}

// Fold returns the name of a database as one that is equal wherever the server takes the two for
// one database.
func (s Info) Fold(name string) string {
	if s.folds {
		return strings.ToLower(name)
	}
	return name
}

// Folds tells whether the server takes names that differ in case alone for one.
func (s Info) Folds() bool { return s.folds }

// IsSystemSchema tells whether a database belongs to the server itself. Two of these names it knows
// in any letters; Mysql and SYS may be anybody's where it tells them from its own.
func (s Info) IsSystemSchema(name string) bool {
	switch s.Fold(name) {
	case "mysql", "sys":
		return true
	}
	switch strings.ToLower(name) {
	case "information_schema", "performance_schema":
		return true
	}
	return false
}

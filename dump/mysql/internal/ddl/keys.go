package ddl

import (
	"bytes"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// UniqueColumns returns the columns of a unique key, as its definition has them.
func UniqueColumns(element string) (string, bool) {
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

// ReferredColumns returns the columns to which a foreign key refers, in the form of UniqueColumns.
func ReferredColumns(element string) string {
	at := quote.Index(element, " REFERENCES ")
	if at < 0 {
		return ""
	}
	_, columns, _ := strings.Cut(element[at:], " (")
	columns, _, _ = strings.Cut(columns, ")")
	return strings.ReplaceAll(columns, ", ", ",")
}

// Addable returns the keys that can be added later so that the definition becomes the same: the
// last of those that are neither unique nor of a kind of their own, and that nothing needs from the
// beginning. Needed are the columns to which other tables' foreign keys refer, and that of
// AUTO_INCREMENT. The server keeps such keys in the order in which they came, behind the unique
// ones, and before those of virtual columns and expressions and then those of FULLTEXT.
//
// The table's own foreign keys need one too. Where that is added later they are as well, which
// takes no time.
func (d Table) Addable(needed []string) (keys, foreign []string) {
	needed = slices.Clone(needed)
	var columns []string
	generated := false
	for _, e := range d.Elements {
		if key, ok := ParseForeignKey(e); ok {
			foreign, columns = append(foreign, e), append(columns, key.column)
		}
		if name, rest, ok := quote.CutName(e); ok && strings.Contains(rest, " AUTO_INCREMENT") {
			needed = append(needed, name)
		}
		generated = generated || strings.Contains(e, " GENERATED ALWAYS AS ")
	}
	for _, e := range d.Elements {
		column, plain := keyColumn(e)
		switch {
		case plain && !HasColumn(needed, column):
			keys = append(keys, e)
		case plain, isOfExpression(e) && generated, isOtherKey(e):
			keys = nil // it would come before those that are left out
		}
	}
	for _, e := range keys {
		if column, _ := keyColumn(e); HasColumn(columns, column) {
			return keys, foreign
		}
	}
	return keys, nil
}

// HasColumn tells whether a column is in a list: servers keep the letters as they were typed each
// time.
func HasColumn(list []string, column string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return strings.EqualFold(c, column) })
}

// AddElements returns the statement that adds keys or constraints to a table, without the
// semicolon.
func AddElements(table string, elements []string) string {
	return "ALTER TABLE " + table + "\n  ADD " + strings.Join(elements, ",\n  ADD ")
}

// AddsKeys tells whether a statement is one of AddElements, with keys.
func AddsKeys(sql []byte) bool {
	rest, ok := bytes.CutPrefix(sql, []byte("ALTER TABLE "))
	if !ok || !bytes.HasPrefix(rest, []byte("`")) {
		return false
	}
	end := quote.End(string(rest), 0)
	return end > 0 && bytes.HasPrefix(rest[end+1:], []byte("\n  ADD KEY "))
}

// isOtherKey tells whether an element is a key that stands among the plain ones.
func isOtherKey(element string) bool {
	word, rest, _ := strings.Cut(element, " ")
	return strings.HasPrefix(rest, "KEY ") && word != "PRIMARY" && word != "UNIQUE" && word != "FULLTEXT"
}

// isOfExpression tells whether an element is a key of an expression, which makes a column of its
// own and so another table.
func isOfExpression(element string) bool {
	rest, ok := strings.CutPrefix(element, "KEY ")
	if ok {
		_, rest, ok = quote.CutName(rest)
	}
	return ok && (strings.HasPrefix(rest, " ((") || strings.Contains(quote.Emptied(rest), ",("))
}

// keyColumn returns the first column, quoted, of an element that is a plain key of columns.
func keyColumn(element string) (string, bool) {
	rest, ok := strings.CutPrefix(element, "KEY ")
	if !ok || isOfExpression(element) {
		return "", false
	}
	if _, rest, ok = quote.CutName(rest); !ok {
		return "", false
	}
	if rest, ok = strings.CutPrefix(rest, " ("); !ok {
		return "", false
	}
	column, _, ok := quote.CutName(rest)
	return column, ok
}

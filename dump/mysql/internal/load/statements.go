package load

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"unsafe"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// A statement is one of the dump's.
type statement struct {
	line int    // of the dump, that it begins on
	sql  []byte // as long as the next one has not been asked for
	ours bool   // no other program's restore runs it

	rows  bool   // it loads rows
	table string // whose, or that it makes, as the manifest names it; empty: it does neither

	stayed int64 // of the rows, where it was refused
}

// statements are those of an item: of rows, those that they are in.
func statements(item dump.Item) iter.Seq2[statement, error] {
	return func(yield func(statement, error) bool) {
		if item.Kind != dump.Rows {
			st := statement{line: item.Line, sql: []byte(item.Text), ours: item.Ours}
			if script.IsTable(st.sql) {
				st.table = madeTable(item)
			}
			yield(st, nil)
			return
		}
		for block, err := range item.Blocks {
			st := statement{line: item.Line, sql: block, rows: true, table: item.Table}
			if item.BlockLine != nil {
				st.line = item.BlockLine()
			}
			if !yield(st, err) {
				return
			}
		}
	}
}

// madeTable is the table that an item makes for which script.IsTable holds, as the manifest names
// it.
func madeTable(item dump.Item) string {
	name, _, _ := quote.CutName(strings.TrimPrefix(item.Text, "CREATE TABLE "))
	if item.Database != "" {
		return quote.Name(item.Database) + "." + name
	}
	return name
}

// setsMode tells whether the statement may set the session's sql_mode. One of ours does not.
func (st statement) setsMode() bool { return !st.ours && script.SetsMode(st.sql) }

// borrowed is a statement's text without a copy, for as long as that stays as it is.
func borrowed(sql []byte) string { return unsafe.String(unsafe.SliceData(sql), len(sql)) }

// bytesOf are a statement's without a copy. They are not to be changed.
func bytesOf(sql string) []byte { return unsafe.Slice(unsafe.StringData(sql), len(sql)) }

// isRows tells whether a statement is one of those that a table's rows are loaded by.
func isRows(sql []byte) bool {
	return string(sql) == "START TRANSACTION" || string(sql) == "COMMIT" || bytes.HasPrefix(sql, []byte("INSERT INTO `"))
}

// isStoredByKey tells whether a table's rows are stored by its primary key, whatever the order they
// come in, and may come on several sessions at once. The order of others is that of their rows in
// the dump.
func isStoredByKey(create string) bool {
	d, err := ddl.ParseTable(create)
	if err != nil || !strings.Contains(d.Tail, "ENGINE=InnoDB") {
		return false
	}
	return slices.ContainsFunc(d.Elements, func(e string) bool { return strings.HasPrefix(e, "PRIMARY KEY ") })
}

// isSessionSetting tells whether a statement sets variables of the session, and does nothing else.
func isSessionSetting(sql []byte) bool {
	return script.IsSetting(sql) && !bytes.HasPrefix(sql, []byte("SET ROLE ")) && !bytes.HasPrefix(sql, []byte("SET DEFAULT ROLE "))
}

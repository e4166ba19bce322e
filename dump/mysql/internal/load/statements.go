package load

import (
	"bytes"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// isRows tells whether a statement is one of those that a table's rows are loaded by.
func isRows(sql []byte) bool {
	return string(sql) == "START TRANSACTION" || string(sql) == "COMMIT" || bytes.HasPrefix(sql, []byte("INSERT INTO `"))
}

func isTable(sql []byte) bool { return bytes.HasPrefix(sql, []byte("CREATE TABLE `")) }

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

// used returns the database that a USE statement names.
func used(sql []byte) (string, bool) {
	const use = "use "
	if len(sql) < len(use) || !bytes.EqualFold(sql[:len(use)], []byte(use)) {
		return "", false
	}
	name := strings.TrimSpace(string(sql[len(use):]))
	if strings.HasPrefix(name, "`") && strings.HasSuffix(name, "`") && len(name) > 1 {
		name = quote.Unquoted(name)
	}
	return name, true
}

package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Values that their text alone does not bring back.

// hasEmptyMember tells whether an empty text may be a member of an ENUM or SET, by its type as the server shows it.
func hasEmptyMember(full string) bool {
	for _, part := range []string{"('',", "('')", ",'',", ",'')"} {
		if strings.Contains(full, part) {
			return true
		}
	}
	return false
}

// warnOfMembers names an ENUM or SET of bytes that MariaDB does not show: where they are no text there is a question mark
// in the definition, and so after a restore.
func (c *catalog) warnOfMembers(ctx context.Context, t *table, col column, charset, full string) error {
	if !c.conn.IsMariaDB() || col.typ != "enum" && col.typ != "set" || charset != "binary" || !strings.Contains(full, "?") {
		return nil
	}
	var rows int64
	if err := c.conn.Row(ctx, "SELECT COUNT(*)"+t.source()+" WHERE HEX("+col.name+") REGEXP '^(..)*[89A-F]'", &rows); err != nil {
		return err
	}
	c.warn(fmt.Sprintf("members of column %s of %s are bytes that the server shows as question marks: after a restore they are these, in %d rows; two alike stop it", quote.Unquoted(col.name), t.label, rows))
	return nil
}

// withOwnComment returns the definition of a program with its comment as it is read under its sql_mode and in its
// character set: the servers show it with backslashes as escapes, whatever the mode, and in UTF-8, whatever the character
// set of all else.
func (c *catalog) withOwnComment(ctx context.Context, db *database, kind, name, definition, mode, charset string) (string, error) {
	if err := guard.MustBe(guard.WordForm, "a character set", charset); err != nil {
		return "", err
	}
	plain := script.SQLMode(mode)&script.NoBackslashEscapes != 0
	begin, of, condition := "\n    COMMENT '", "routine", " AND routine_type = "+quote.Literal(kind)
	if kind == "EVENT" {
		begin, of, condition = " COMMENT '", "event", ""
	}
	at := quote.Index(definition, begin)
	if at < 0 {
		return definition, nil
	}
	at += len(begin) - 1
	end := quote.End(definition, at)
	if end < 0 || !(plain && strings.Contains(definition[at:end], `\`)) && (strings.HasPrefix(charset, "utf8") || quote.IsASCII(definition[at:end])) {
		return definition, nil
	}
	text := of + "_comment"
	if !plain { // by letters, of which a backslash may be the second byte in such a character set
		text = "REPLACE(" + text + ", CHAR(92 USING utf8mb4), CHAR(92, 92 USING utf8mb4))"
	}
	rows, err := c.conn.List(ctx, fmt.Sprintf("SELECT CONVERT(%s USING %s) AS text FROM information_schema.%ss WHERE ", text, charset, of)+
		c.conn.DatabaseIs(of+"_schema", db.name)+" AND "+server.NameIs(of+"_name", name)+condition)
	if err != nil || len(rows) != 1 || rows[0]["text"] == "" { // without one of its own that is in its body
		return definition, err
	}
	return definition[:at] + "'" + strings.ReplaceAll(rows[0]["text"], "'", "''") + "'" + definition[end+1:], nil
}

// isUnwritable tells whether a value is one that no INSERT takes: the empty one of a column of geometries or vectors that
// was added as NOT NULL to a table with rows. It is what the servers put into such a column where an INSERT does not
// name it, in a session that is not strict.
func isUnwritable(c *column, value driver.Value) bool {
	text, ok := value.([]byte)
	return ok && len(text) == 0 && c.neverEmpty
}

// headerFor begins an INSERT statement for a row with such a value; "": it has none.
func headerFor(t *table, row []driver.Value) string {
	i := 0
	for i < len(t.columns) && !isUnwritable(&t.columns[i], row[i]) {
		i++
	}
	if i == len(t.columns) {
		return ""
	}
	var columns []column
	for i, c := range t.columns {
		if !isUnwritable(&c, row[i]) {
			columns = append(columns, c)
		}
	}
	return insertHeader(t.name, columns)
}

package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// withOwnComment returns the definition of a program with its comment as it is read under its
// sql_mode and in its character set: the servers show it with backslashes as escapes, whatever the
// mode, and in UTF-8, whatever the character set of all else.
func (c *Reader) withOwnComment(ctx context.Context, db *Database, kind, name, definition, mode, charset string) (string, error) {
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
	rows, err := c.Conn.List(ctx, fmt.Sprintf("SELECT CONVERT(%s USING %s) AS text FROM information_schema.%ss WHERE ", text, charset, of)+
		c.Conn.DatabaseIs(of+"_schema", db.Name)+" AND "+server.NameIs(of+"_name", name)+condition)
	if err != nil || len(rows) != 1 || rows[0]["text"] == "" { // without one of its own that is in its body
		return definition, err
	}
	return definition[:at] + "'" + strings.ReplaceAll(rows[0]["text"], "'", "''") + "'" + definition[end+1:], nil
}

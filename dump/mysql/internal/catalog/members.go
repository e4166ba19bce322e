package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// hasEmptyMember tells whether an empty text may be a member of an ENUM or SET, by its type as the
// server shows it.
func hasEmptyMember(full string) bool {
	for _, part := range []string{"('',", "('')", ",'',", ",'')"} {
		if strings.Contains(full, part) {
			return true
		}
	}
	return false
}

// warnOfMembers names an ENUM or SET of bytes that MariaDB does not show: where they are no text
// there is a question mark in the definition, and so after a restore.
func (c *Reader) warnOfMembers(ctx context.Context, t *Table, col Column, charset, full string) error {
	if !c.Conn.IsMariaDB() || col.Type != "enum" && col.Type != "set" || charset != "binary" || !strings.Contains(full, "?") {
		return nil
	}
	var rows int64
	if err := c.Conn.Row(ctx, "SELECT COUNT(*)"+t.Source()+" WHERE HEX("+col.Name+") REGEXP '^(..)*[89A-F]'", &rows); err != nil {
		return err
	}
	c.Warn(fmt.Sprintf("members of column %s of %s are bytes that the server shows as question marks: after a restore they are these, in %d rows; two alike stop it", quote.Unquoted(col.Name), t.Label, rows))
	return nil
}

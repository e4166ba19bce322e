package catalog

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// MySQL has programs in languages of others, whose text it shows within dollar quotes ($$ … $$),
// and since 9.2 libraries that these programs use.

// withString returns a definition whose text is in a string instead of dollar quotes, of which only
// the newest clients know: to all others an apostrophe in it begins a string.
func withString(definition, sqlMode string) string {
	begin := quote.Index(definition, "\nAS $")
	if begin < 0 || !strings.Contains(definition[:begin], "\n    LANGUAGE ") {
		return definition
	}
	head := definition[:begin]
	tag, body, ok := strings.Cut(definition[begin+len("\nAS $"):], "$")
	if !ok || !strings.HasSuffix(body, "$"+tag+"$") {
		return definition
	}
	body = strings.TrimSuffix(body, "$"+tag+"$")
	if script.SQLMode(sqlMode)&script.NoBackslashEscapes != 0 {
		return head + "\nAS '" + strings.ReplaceAll(body, "'", "''") + "'"
	}
	return head + "\nAS " + quote.Literal(body)
}

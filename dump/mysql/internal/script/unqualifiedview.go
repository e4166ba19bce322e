package script

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// UnqualifiedView takes a database's name from before other names in a view's text, where the
// server would not show it. Where an alias or a table has that name it stands before columns, and
// stays.
func UnqualifiedView(text, db string) string {
	prefix := quote.Name(db) + ".`"
	var b strings.Builder
	var open []int // where the parentheses are that are open
	for i := 0; i < len(text); i++ {
		end := i
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], prefix) && !strings.HasSuffix(text[:i], "."):
			name := i + len(prefix) - len("`")
			if end = quote.End(text, name); end >= 0 && isQualified(text[:i], text[end+1:], open) {
				i = name
			}
		case c == '`' || c == '\'' || c == '"':
			end = quote.End(text, i)
		case c == '(':
			open = append(open, i)
		case c == ')':
			open = open[:max(0, len(open)-1)]
		}
		if end < 0 {
			return text
		}
		b.WriteString(text[i : end+1])
		i = end
	}
	return b.String()
}

// isQualified tells of two names with a dot between, by the view's text before and behind them,
// whether the first is a database: before a third name or a call, and where a table, a sequence or
// the view itself stands.
func isQualified(before, behind string, open []int) bool {
	if strings.HasPrefix(behind, ".`") || strings.HasPrefix(behind, "(") {
		return true
	}
	word := strings.TrimRight(before, "(")
	inside := len(before) - len(word)
	isAny := func(text string, ends ...string) bool {
		return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(text, end) })
	}
	switch {
	case isAny(word, "join ", " VIEW "):
		return true
	case isAny(word, "nextval", "lastval", "setval"):
		return inside == 1
	case isAny(word, " from "):
		open = open[:max(0, len(open)-inside)]
		return len(open) == 0 || !isAny(before[:open[len(open)-1]], "extract", "trim") // (YEAR FROM column)
	}
	return false
}

// UnqualifiedUsing takes a database's name from before those of the libraries that a program uses.
func UnqualifiedUsing(definition, db string) string {
	head, rest, ok := strings.Cut(definition, "\nAS ")
	begin := strings.LastIndex(head, "\n    USING (")
	if !ok || begin < 0 {
		return definition
	}
	return head[:begin] + strings.ReplaceAll(head[begin:], quote.Name(db)+".`", "`") + "\nAS " + rest
}

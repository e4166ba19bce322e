package part

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A token is one of a statement, as dumps write them: with its place, so that it can be replaced,
// which script.Tokens do not tell.
type token struct {
	kind       tokenKind
	text       string // of a name or a word: in lower case where it is not quoted, else without quotes; of a sign: itself
	start, end int    // in the statement
}

type tokenKind uint8

const (
	sign   tokenKind = iota // a single byte of anything else
	word                    // a keyword, or a name that needs no quotes
	quoted                  // a name in quotes
	text                    // a string
	number
)

// names tells whether the token can be a name.
func (t token) names() bool { return t.kind == word || t.kind == quoted }

// is tells whether the token is a keyword.
func (t token) is(keyword string) bool { return t.kind == word && t.text == keyword }

// isSign tells whether the token is that sign.
func (t token) isSign(s string) bool { return t.kind == sign && t.text == s }

// tokenize reads a statement with standard_conforming_strings on, under which dumps are written.
func tokenize(sql string) []token {
	var list []token
	for i := 0; i < len(sql); {
		t := token{start: i}
		switch c := sql[i]; {
		case c == ' ' || '\t' <= c && c <= '\r':
			i++
			continue
		case strings.HasPrefix(sql[i:], "--"):
			i = after(sql, i, "\n")
			continue
		case strings.HasPrefix(sql[i:], "/*"):
			i = behindComment(sql, i+2)
			continue
		case c == '\'':
			t.kind, t.end = text, behindQuote(sql, i+1, '\'', false)
		case (c == 'E' || c == 'e') && strings.HasPrefix(sql[i+1:], "'"):
			t.kind, t.end = text, behindQuote(sql, i+2, '\'', true)
		case c == '"':
			t.kind, t.end = quoted, behindQuote(sql, i+1, '"', false)
			t.text = strings.ReplaceAll(strings.TrimSuffix(sql[i+1:t.end], `"`), `""`, `"`)
		case isLetter(c):
			t.kind, t.end = word, i+1
			for t.end < len(sql) && (isLetter(sql[t.end]) || isDigit(sql[t.end]) || sql[t.end] == '$') {
				t.end++
			}
			t.text = lower(sql[i:t.end])
		case isDigit(c):
			t.kind, t.end = number, i+1
			for t.end < len(sql) && (isDigit(sql[t.end]) || sql[t.end] == '.') {
				t.end++
			}
		case c == '$' && dollarTag(sql[i:]) != "":
			tag := dollarTag(sql[i:])
			t.kind, t.end = text, after(sql, i+len(tag), tag)
		default:
			t.text, t.end = sql[i:i+1], i+1
		}
		i = t.end
		list = append(list, t)
	}
	return list
}

// after is the place behind the next mark from i on, or the end.
func after(sql string, i int, mark string) int {
	n := strings.Index(sql[i:], mark)
	if n < 0 {
		return len(sql)
	}
	return i + n + len(mark)
}

// behindQuote is the place behind what is quoted from i on. The quote doubled is a part of it, and
// with escapes so is one behind a backslash.
func behindQuote(sql string, i int, quote byte, escapes bool) int {
	for ; i < len(sql); i++ {
		switch {
		case escapes && sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return len(sql)
}

// behindComment is the place behind a comment, which may hold others.
func behindComment(sql string, i int) int {
	for depth := 1; depth > 0 && i < len(sql); {
		switch {
		case strings.HasPrefix(sql[i:], "*/"):
			depth--
			i += 2
		case strings.HasPrefix(sql[i:], "/*"):
			depth++
			i += 2
		default:
			i++
		}
	}
	return i
}

// dollarTag is the tag that a string in dollars begins with, or empty.
func dollarTag(sql string) string {
	for i := 1; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '$':
			return sql[:i+1]
		case !isLetter(c) && (i == 1 || !isDigit(c)):
			return ""
		}
	}
	return ""
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lower folds a name as the server does: letters of ASCII alone.
func lower(s string) string {
	folded := []byte(s)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// inner is what stands within a string, and false where that is written with escapes other than
// those of backslashes, which neither servers nor dumps write.
func inner(literal string) (string, bool) {
	if tag := dollarTag(literal); tag != "" {
		return strings.TrimSuffix(literal[len(tag):], tag), true
	}
	if strings.HasPrefix(literal, "E'") || strings.HasPrefix(literal, "e'") {
		literal = literal[1:]
		if strings.Contains(strings.ReplaceAll(literal, `\\`, ""), `\`) {
			return "", false
		}
		literal = strings.ReplaceAll(literal, `\\`, `\`)
	}
	if !strings.HasPrefix(literal, "'") {
		return "", false
	}
	return strings.ReplaceAll(strings.TrimSuffix(literal[1:], "'"), "''", "'"), true
}

// A name is an object's, as the catalogues have it: without quotes. What is in no schema has none.
type name struct{ schema, name string }

// String writes the name for people, who know it with the quotes that it needs.
func (n name) String() string {
	if n.schema == "" {
		return plain(n.name)
	}
	return plain(n.schema) + "." + plain(n.name)
}

// plain quotes a name where it needs it, but for keywords.
func plain(s string) string {
	if s != "" && !isDigit(s[0]) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" {
		return s
	}
	return server.Ident(s)
}

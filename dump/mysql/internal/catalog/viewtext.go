package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A viewText is what MariaDB has in a view's file. To read it evaluates nothing.
type viewText struct {
	server.Record
	opens bool // to show the view would run no function
}

// viewTexts are those of all views that the account sees, by database and name.
type viewTexts map[string]map[string]*viewText

// readViewTexts reads the views' texts, and finds those that may be opened: where neither the text
// nor that of a view it mentions calls a function that calls itself deterministic, there is no
// constant that could be evaluated. Names are compared without their databases and their case: a
// view too many is one that is written from its text.
func (c *Reader) readViewTexts(ctx context.Context) (viewTexts, error) {
	rows, err := c.Conn.List(ctx, `SELECT table_schema AS db, table_name AS name, view_definition AS text, check_option AS checked, definer,
		security_type AS security, algorithm, character_set_client AS charset, collation_connection AS collation FROM information_schema.views`)
	if err != nil {
		return nil, err
	}
	routines, err := c.Conn.List(ctx, "SELECT routine_schema AS db, routine_name AS name, routine_type AS type, is_deterministic AS fixed FROM information_schema.routines")
	if err != nil {
		return nil, err
	}
	changing := make(map[[2]string]bool) // functions whose value is no constant, by database and name
	for _, r := range routines {
		if r["type"] == "FUNCTION" && r["fixed"] == "NO" {
			changing[[2]string{r["db"], strings.ToLower(r["name"])}] = true
		}
	}
	for _, r := range routines {
		if r["type"] == "PACKAGE" { // its functions are called as those of a database of its name
			for f := range changing {
				if strings.EqualFold(f[0], r["name"]) {
					delete(changing, f)
				}
			}
		}
	}

	texts, mentions, closed := make(viewTexts), make(map[*viewText][]string), make(map[string]bool)
	for _, r := range rows {
		v := &viewText{Record: r, opens: true}
		if texts[r["db"]] == nil {
			texts[r["db"]] = make(map[string]*viewText)
		}
		texts[r["db"]][r["name"]] = v
		names, calls, ok := mentioned(r["text"])
		mentions[v] = names
		v.opens = ok && !slices.ContainsFunc(calls, func(f []string) bool {
			if len(f) == 1 {
				f = []string{r["db"], f[0]}
			}
			return len(f) != 2 || !changing[[2]string{f[0], strings.ToLower(f[1])}]
		})
		if !v.opens {
			closed[strings.ToLower(r["name"])] = true
		}
	}
	for more := true; more; {
		more = false
		for v, names := range mentions {
			if v.opens && slices.ContainsFunc(names, func(n string) bool { return closed[n] }) {
				v.opens, more = false, true
				closed[strings.ToLower(v.Record["name"])] = true
			}
		}
	}
	return texts, nil
}

// mentioned returns the names in a view's text, in lower case, and the functions it calls, each by
// the parts of its name: the server quotes the names of stored ones, and of no others.
func mentioned(text string) (names []string, calls [][]string, ok bool) {
	var parts []string
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\'', '"':
			if i = quote.End(text, i); i < 0 {
				return nil, nil, false
			}
			parts = nil
		case '`':
			end := quote.End(text, i)
			if end < 0 {
				return nil, nil, false
			}
			name := quote.Unquoted(text[i : end+1])
			names = append(names, strings.ToLower(name))
			parts = append(parts, name)
			if i = end; strings.HasPrefix(text[i+1:], "(") {
				calls = append(calls, parts)
			}
			if !strings.HasPrefix(text[i+1:], ".`") {
				parts = nil
			}
		}
	}
	return names, calls, true
}

// statement is the view's definition by its text, as the server shows it but for the character sets
// of strings, which the text does not have.
func (v *viewText) statement(db string) string {
	user, host := v.Record["definer"], ""
	if at := strings.LastIndexByte(user, '@'); at >= 0 {
		user, host = user[:at], user[at+1:]
	}
	definer := quote.Name(user) // a role
	if host != "" {
		definer += "@" + quote.Name(host)
	}
	s := fmt.Sprintf("CREATE ALGORITHM=%s DEFINER=%s SQL SECURITY %s VIEW %s AS %s", v.Record["algorithm"], definer, v.Record["security"],
		quote.Name(v.Record["name"]), script.UnqualifiedView(v.Record["text"], db))
	if check := v.Record["checked"]; check != "NONE" {
		s += " WITH " + check + " CHECK OPTION"
	}
	return s
}

// SelectedNames returns the names of a view's columns by its text, in which each has one. Of VALUES
// it knows none.
func SelectedNames(text string) ([]string, bool) {
	text = strings.TrimLeft(text, "(")
	begin := 0
	if !strings.HasPrefix(text, "select ") { // behind WITH … AS (…)
		if begin = atTop(text, "select "); begin < 0 {
			return nil, false
		}
	}
	text = text[begin:]
	end := len(text)
	for _, word := range []string{" from ", " where ", " union ", " intersect ", " except ", " group by ", " having ", " order by ", " limit ", ")"} {
		if i := atTop(text, word); i >= 0 {
			end = min(end, i)
		}
	}
	var names []string
	for rest := text[:end] + ","; rest != ""; {
		i := atTop(rest, ",")
		if i < 0 {
			return nil, false
		}
		name, ok := lastName(rest[:i])
		if !ok {
			return nil, false
		}
		names, rest = append(names, name), rest[i+1:]
	}
	return names, len(names) > 0
}

// atTop returns the index of a word outside of quotes and parentheses, or -1.
func atTop(text, word string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case depth == 0 && strings.HasPrefix(text[i:], word):
			return i
		case c == '`' || c == '\'' || c == '"':
			if i = quote.End(text, i); i < 0 {
				return -1
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
	}
	return -1
}

// lastName returns the name that a column of a view's text ends with: … AS `name`.
func lastName(column string) (string, bool) {
	begin := -1
	for i := 0; i < len(column); i++ {
		if c := column[i]; c == '`' || c == '\'' || c == '"' {
			begin = i
			if i = quote.End(column, i); i < 0 {
				return "", false
			}
			if i == len(column)-1 && c == '`' && strings.HasSuffix(column[:begin], " AS ") {
				return quote.Unquoted(column[begin:]), true
			}
		}
	}
	return "", false
}

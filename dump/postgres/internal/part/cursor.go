package part

import "strings"

// A cursor reads the tokens of a statement from its beginning on.
type cursor struct {
	sql  string
	list []token
	at   int
}

func read(sql string) *cursor { return &cursor{sql: sql, list: tokenize(sql)} }

// peek returns the next token without taking it; behind the last one it is an empty sign.
func (c *cursor) peek() token {
	if c.at < len(c.list) {
		return c.list[c.at]
	}
	return token{}
}

// take takes the keywords, all or none.
func (c *cursor) take(keywords ...string) bool {
	for i, k := range keywords {
		if c.at+i >= len(c.list) || !c.list[c.at+i].is(k) {
			return false
		}
	}
	c.at += len(keywords)
	return true
}

// skip takes such of the keywords as come next.
func (c *cursor) skip(keywords ...string) {
	for taken := true; taken; {
		taken = false
		for _, k := range keywords {
			taken = c.take(k) || taken
		}
	}
}

// to goes behind the next of a keyword that is in no parentheses, or to the end.
func (c *cursor) to(keyword string) bool {
	for depth := 0; c.at < len(c.list); {
		t := c.list[c.at]
		c.at++
		switch {
		case t.isSign("("):
			depth++
		case t.isSign(")"):
			depth--
		case depth == 0 && t.is(keyword):
			return true
		}
	}
	return false
}

// name takes a name, qualified or not. An operator's ends with its signs.
func (c *cursor) name() (n name) {
	if !c.peek().names() {
		return name{"", c.signs()}
	}
	n.name = c.peek().text
	if c.at++; !c.peek().isSign(".") {
		return n
	}
	c.at++
	n.schema = n.name
	if c.peek().names() {
		n.name = c.peek().text
		c.at++
		return n
	}
	n.name = c.signs()
	return n
}

// signs takes an operator.
func (c *cursor) signs() string {
	var b strings.Builder
	for ; c.at < len(c.list) && isOperator(c.list[c.at]); c.at++ {
		if b.Len() > 0 && c.list[c.at].start != c.list[c.at-1].end {
			break
		}
		b.WriteString(c.list[c.at].text)
	}
	return b.String()
}

func isOperator(t token) bool { return t.kind == sign && strings.Contains("+-*/<>=~!@#%^&|`?", t.text) }

// parenthesised takes what comes next in parentheses, as it stands there.
func (c *cursor) parenthesised() string {
	begin := c.at
	for depth := 0; c.at < len(c.list); {
		t := c.list[c.at]
		c.at++
		switch {
		case t.isSign("("):
			depth++
		case t.isSign(")"):
			depth--
		}
		if depth == 0 {
			return c.sql[c.list[begin].start:t.end]
		}
	}
	return ""
}

// A reference is what a statement says of an object by its name.
type reference struct {
	name       name
	start, end int // of the schema's name, or of the string that the name stands in, in the statement
	within     bool
	rest       string // of that string, behind the name: a function's arguments
	array      bool   // that string is an array, which may have other names too
}

// references are all qualified names of a statement, those in its strings too that are cast to such
// a name's type ('app.counter'::regclass), each once or more often. within are those in other
// strings, which may be no names at all: the body of a function.
func references(sql string) (list []reference, within []name) { return referencesIn(sql, 2) }

// referencesIn looks into strings within strings, as many deep: a body may run a statement that it
// has in a string.
func referencesIn(sql string, deep int) (list []reference, within []name) {
	c := read(sql)
	for c.at < len(c.list) {
		t := c.list[c.at]
		switch {
		case t.kind == text && (c.casts() || c.at > 1 && c.list[c.at-2].is("setval")):
			list = append(list, literal(sql, t)...)
			c.at++
		case t.kind == text:
			if body, ok := inner(sql[t.start:t.end]); ok && deep > 0 && strings.Contains(body, ".") {
				refs, more := referencesIn(body, deep-1)
				for _, r := range refs {
					more = append(more, r.name)
				}
				within = append(within, more...)
			}
			c.at++
		case t.names() && c.at+1 < len(c.list) && c.list[c.at+1].isSign("."):
			list = append(list, reference{name: c.name(), start: t.start, end: t.end})
			for c.peek().isSign(".") { // of a column
				c.at += 2
			}
		case t.kind == word:
			list = append(list, c.global()...)
			c.at++
		default:
			c.at++
		}
	}
	return list, within
}

// casts tells whether the string that comes next is cast to the name of something.
func (c *cursor) casts() bool {
	rest := c.list[c.at+1:]
	if len(rest) < 3 || !rest[0].isSign(":") || !rest[1].isSign(":") {
		return false
	}
	rest = rest[2:]
	if rest[0].is("pg_catalog") && len(rest) > 2 && rest[1].isSign(".") {
		rest = rest[2:]
	}
	return isAny(rest[0], ofNames) && (len(rest) == 1 || !rest[1].isSign("."))
}

// ofNames are the types whose values are names of something in a schema.
var ofNames = []string{"regclass", "regcollation", "regconfig", "regdictionary", "regoper", "regoperator", "regproc", "regprocedure", "regtype"}

// literal is the name that a string consists of, or are those of the array that it is.
func literal(sql string, t token) (list []reference) {
	body, ok := inner(sql[t.start:t.end])
	if !ok {
		return nil
	}
	if !strings.HasPrefix(body, "{") {
		return written(body, t)
	}
	for _, e := range elements(body) {
		for _, r := range written(e.text, t) {
			r.array = true
			list = append(list, r)
		}
	}
	return list
}

// written is the name that a text consists of, if it does, but for the arguments of a function or
// an operator, and the brackets of an array's type.
func written(body string, t token) []reference {
	c := read(body)
	n, rest := c.name(), ""
	if next := c.peek(); next.isSign("(") || next.isSign("[") {
		rest = body[next.start:]
	} else if c.at < len(c.list) {
		return nil
	}
	if n.schema == "" {
		return nil
	}
	return []reference{{name: n, start: t.start, end: t.end, within: true, rest: rest}}
}

// globals are the words before the name of something that is in no schema, or before what is no
// name and has needs all the same: see methods.
var globals = [][]string{{"language"}, {"server"}, {"foreign", "data", "wrapper"}, {"using"}, {"extension"}, {"without"}}

// global is the reference to something in no schema that begins with the next word.
func (c *cursor) global() []reference {
	for _, words := range globals {
		ahead := *c
		if ahead.take(words...) && ahead.peek().names() {
			return []reference{{name: name{"", ahead.peek().text}, start: ahead.peek().start, end: ahead.peek().start}}
		}
	}
	return nil
}

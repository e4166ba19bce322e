package part

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// phrases are what SQL calls kinds of objects, the longer ones before those that they begin with.
var phrases = [][]string{
	{"materialized", "view"},
	{"foreign", "table"},
	{"foreign", "data", "wrapper"},
	{"foreign", "server"},
	{"text", "search", "parser"},
	{"text", "search", "template"},
	{"text", "search", "dictionary"},
	{"text", "search", "configuration"},
	{"operator", "class"},
	{"operator", "family"},
	{"access", "method"},
	{"event", "trigger"},
	{"large", "object"},
	{"user", "mapping"},
	{"default", "privileges"},
	{"procedural", "language"},
	{"table"},
	{"view"},
	{"sequence"},
	{"index"},
	{"type"},
	{"domain"},
	{"function"},
	{"procedure"},
	{"routine"},
	{"aggregate"},
	{"operator"},
	{"collation"},
	{"conversion"},
	{"language"},
	{"extension"},
	{"schema"},
	{"server"},
	{"cast"},
	{"transform"},
	{"publication"},
	{"subscription"},
	{"statistics"},
	{"trigger"},
	{"rule"},
	{"policy"},
	{"constraint"},
	{"column"},
	{"database"},
	{"role"},
	{"tablespace"},
}

// phrase takes what kind of object comes next; empty: none that is known.
func (c *cursor) phrase() string {
	for _, p := range phrases {
		if c.take(p...) {
			return strings.Join(p, " ")
		}
	}
	return ""
}

// beginnings tell what statements are there for that are about no object.
var beginnings = []struct {
	text string
	role role
}{
	{"SELECT pg_catalog.lo_unlink(", clears},
	{"SELECT pg_catalog.lo_", large},
	{"SELECT pg_catalog.set_config(", sets},
	{"SET ", sets},
	{"RESET ", sets},
	{"DO ", clears},
}

// describe says what a statement is about. It knows the statements that this program's dumps are
// made of; of any other it takes that it is about the whole database.
func (os *objects) describe(item dump.Item) *statement {
	s := &statement{item: item, role: reigns}
	sql := item.Text
	for _, known := range beginnings {
		if strings.HasPrefix(sql, known.text) {
			s.role = known.role
			return s
		}
	}
	c := read(sql)
	switch {
	case c.take("select"):
		os.describeSelect(s, c)
	case c.take("create"):
		os.describeCreate(s, c)
	case c.take("alter"):
		os.describeAlter(s, c)
	case c.take("drop"):
		os.describeDrop(s, c)
	case c.take("refresh", "materialized", "view"):
		s.role, s.of = fills, os.find("view", c.name())
	case c.take("comment", "on"):
		os.describeComment(s, c)
	case c.take("security", "label"):
		if c.to("on") {
			os.describeComment(s, c)
		}
	case c.take("grant"), c.take("revoke"):
		os.describeGrant(s, c)
	}
	return s
}

// describeSelect reads SELECT pg_catalog.setval('name', …).
func (os *objects) describeSelect(s *statement, c *cursor) {
	if n := c.name(); n != (name{"pg_catalog", "setval"}) || !c.peek().isSign("(") {
		return
	}
	c.at++
	s.role = fills
	for _, r := range literal(s.item.Text, c.peek()) {
		s.of = os.find("sequence", r.name)
	}
}

// describeCreate reads what follows CREATE.
func (os *objects) describeCreate(s *statement, c *cursor) {
	c.skip("or", "replace", "unlogged", "unique", "trusted", "default", "constraint")
	switch phrase := c.phrase(); phrase {
	case "", "event trigger", "publication", "subscription", "transform":
	case "database", "role", "tablespace":
		s.role = governs
	case "index":
		index := c.name()
		c.take("on")
		c.take("only")
		os.belongs(s, c.name())
		s.index = index.name
		os.aliasOf(s.of, index.name)
	case "statistics":
		n := c.name()
		if c.to("from") {
			os.belongs(s, c.name())
		}
		if s.of != nil {
			os.byKey[key{"statistics", n}] = s.of
			os.alias(n, s.of)
		}
	case "trigger", "policy":
		n := c.name()
		c.to("on")
		os.pointsAt(s, phrase, n, c.name())
	case "rule":
		n := c.name()
		c.to("to")
		os.pointsAt(s, phrase, n, c.name())
	case "user mapping":
		if c.to("server") {
			s.role, s.of = shapes, os.find("server", c.name())
		}
	case "cast":
		s.role, s.of = shapes, os.object("cast", "CAST", name{"", c.parenthesised()})
	default:
		c.take("if", "not", "exists")
		s.role, s.of = shapes, os.object(groupOf(phrase), strings.ToUpper(phrase), c.name())
		if s.makes = s.of.name; phrase == "type" {
			os.aliasOfRange(s.of, c)
		}
		if s.of.isView() {
			s.role, s.what = points, lower(s.of.word)+" "+s.of.name.String()
		}
	}
}

// belongs makes the statement one about a table, or a view.
func (os *objects) belongs(s *statement, n name) {
	if s.of = os.find("table", n); s.of != nil {
		s.role = shapes
	}
}

// pointsAt makes the statement one that gives a table something that may refer to others.
func (os *objects) pointsAt(s *statement, phrase string, n, of name) {
	if os.belongs(s, of); s.of != nil {
		s.role, s.what = points, phrase+" "+n.String()+" of "+s.of.name.String()
		s.member = member{phrase, n.name}
	}
}

// aliasOf has a table found by the name of its index.
func (os *objects) aliasOf(o *object, index string) {
	if o != nil && index != "" {
		os.alias(name{o.name.schema, index}, o)
	}
}

// aliasOfRange has a range type found by the name of its multirange, which comes with it.
func (os *objects) aliasOfRange(o *object, c *cursor) {
	for ; c.at+2 < len(c.list); c.at++ {
		if c.list[c.at].is("multirange_type_name") && c.list[c.at+1].isSign("=") {
			c.at += 2
			os.alias(c.name(), o)
			return
		}
	}
}

// describeDrop reads DROP of a table that is dropped because it was only there to make another.
func (os *objects) describeDrop(s *statement, c *cursor) {
	s.role = clears
	if !c.take("table") || c.peek().is("if") {
		return
	}
	if o := os.find("table", c.name()); o != nil && o.scaffolds != nil {
		s.role, s.of = shapes, o.scaffolds
		os.fold(o)
	}
}

// describeComment reads COMMENT ON, or SECURITY LABEL … ON, behind these words.
func (os *objects) describeComment(s *statement, c *cursor) {
	phrase := c.phrase()
	switch phrase {
	case "large object":
		s.role = large
		return
	case "database", "role", "tablespace":
		s.role = governs
		return
	case "constraint", "trigger", "rule", "policy":
		s.member = member{phrase, c.name().name}
		c.take("on")
		of := "table"
		if c.take("domain") {
			of = "domain"
		}
		s.of = os.find(of, c.name())
	case "cast":
		s.of = os.byKey[key{"cast", name{"", c.parenthesised()}}]
	default:
		s.of = os.find(phrase, c.name())
		s.old = s.of == nil && phrase == schema
	}
	if s.of != nil {
		s.role = shapes
	}
}

// describeGrant reads GRANT and REVOKE behind that word.
func (os *objects) describeGrant(s *statement, c *cursor) {
	if !c.to("on") {
		s.role = governs // a membership
		return
	}
	switch phrase := c.phrase(); phrase {
	case "large object":
		s.role = large
	case "database", "tablespace":
		s.role = governs
	case "":
	default:
		if s.of = os.find(phrase, c.name()); s.of != nil {
			s.role = shapes
		}
		s.old = s.of == nil && phrase == schema
	}
}

// framing are the settings that dumps make for the statements that follow and take back behind
// them: how they begin, and how they end.
var framing = [][2]string{
	{"SET SESSION AUTHORIZATION ", "RESET SESSION AUTHORIZATION;"},
	{"SET default_tablespace = ", "SET default_tablespace = '';"},
}

// frames tells which of framing a setting begins, or ends.
func frames(sql string) (frame int, begins, ends bool) {
	frame = slices.IndexFunc(framing, func(f [2]string) bool { return strings.HasPrefix(sql, f[0]) || sql == f[1] })
	if frame < 0 {
		return frame, false, false
	}
	return frame, sql != framing[frame][1], sql == framing[frame][1]
}

// ident writes a name into a statement.
func ident(n name) string {
	if n.schema == "" {
		return server.Ident(n.name)
	}
	return server.Ident(n.schema) + "." + server.Ident(n.name)
}

package part

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// place is the name that something of the dump gets in the target.
func (p *Part) place(n name) name {
	if p.old != "" && n.schema == p.old && (len(p.objects.byName[n]) > 0 || p.objects.scaffolds[n]) {
		n.schema = p.ToSchema
	}
	return n
}

// rename writes a statement for the schema that its object goes into.
func (p *Part) rename(s *statement) string {
	if sql := p.reindexed(s); p.old == "" || sql != s.item.Text {
		return p.renamed(sql)
	}
	if s.of != nil && s.of.group == schema && s.of.name.name == p.old {
		return p.renamedSchema(s.item.Text)
	}
	return p.renamed(s.item.Text)
}

// renamed replaces the schema's name in all references to what the dump makes in it. What an
// extension has there stays there.
func (p *Part) renamed(sql string) string {
	if p.old == "" {
		return sql
	}
	refs, _ := references(sql)
	columns := columnsOf(sql, p.old)
	var b strings.Builder
	from := 0
	for _, r := range refs {
		to, rest, moves := p.moved(r)
		if !moves || columns[r.start] || r.start < from {
			continue
		}
		b.WriteString(sql[from:r.start])
		switch {
		case r.array: // all of it at once
			b.WriteString(p.renamedArray(sql[r.start:r.end]))
		case r.within:
			b.WriteString(server.Literal(ident(to) + rest))
		default:
			b.WriteString(server.Ident(to.schema))
		}
		from = r.end
	}
	return b.String() + sql[from:]
}

// moved is what a reference becomes, and whether that is something else. What is taken as it is
// takes the types that are there.
func (p *Part) moved(r reference) (to name, rest string, moves bool) {
	to, rest = p.place(r.name), p.renamed(r.rest)
	moves = to != r.name || rest != r.rest && !slices.ContainsFunc(p.resolve(to), func(o *object) bool { return o.there })
	return to, rest, moves
}

// renamedArray writes the string of an array of names anew.
func (p *Part) renamedArray(literal string) string {
	body, _ := inner(literal)
	var b strings.Builder
	from := 0
	for _, e := range elements(body) {
		for _, r := range written(e.text, token{}) {
			if to, rest, moves := p.moved(r); moves {
				b.WriteString(body[from:e.start] + element(ident(to)+rest))
				from = e.end
			}
		}
	}
	return server.Literal(b.String() + body[from:])
}

// renamedSchema replaces a schema's name behind that word.
func (p *Part) renamedSchema(sql string) string {
	c := read(sql)
	i := slices.IndexFunc(c.list, func(t token) bool { return t.is("schema") })
	if i < 0 || i+1 == len(c.list) {
		return sql
	}
	t := c.list[i+1]
	return sql[:t.start] + server.Ident(p.ToSchema) + sql[t.end:]
}

// tellBody warns of a function whose body names the schema that tables have gone from: it is a
// text, and stays as it is.
func (p *Part) tellBody(s *statement) {
	if p.old == "" || s.of == nil || s.of.group != function || !strings.HasPrefix(s.item.Text, "CREATE ") {
		return
	}
	_, within := references(s.item.Text)
	if slices.ContainsFunc(within, func(n name) bool { return p.place(n) != n }) || strings.Contains(s.item.Text, "\n SET search_path TO ") {
		p.Warn(fmt.Sprintf("%s %s goes into schema %s, and what its body says of schema %s stays as it is", lower(s.of.word), s.of.name, plain(p.ToSchema), plain(p.old)))
	}
}

// besideExtension makes the schema that an extension is put into where the dump's own goes by
// another name.
func (p *Part) besideExtension(s *statement) error {
	if p.old == "" || p.from || s.of == nil || s.of.group != extension || !strings.HasPrefix(s.item.Text, "CREATE ") || extensionSchema(s.of) != p.old {
		return nil
	}
	p.from = true
	return p.hand(dump.Item{Kind: dump.Definitions, Line: s.item.Line, Text: "CREATE SCHEMA " + server.Ident(p.old) + ";"})
}

// ofIndexes are how statements begin that name indexes, or the keys that they are for.
var ofIndexes = []string{"CREATE INDEX ", "CREATE UNIQUE INDEX ", "ALTER TABLE ", "ALTER INDEX ", "COMMENT ON INDEX ", "COMMENT ON CONSTRAINT "}

// reindexed gives an index another name where the target has one by that name, as it does when a
// table was renamed to make room for the one that is restored: its indexes were not.
func (p *Part) reindexed(s *statement) string {
	sql := s.item.Text
	if s.of == nil || len(p.taken) == 0 || !slices.ContainsFunc(ofIndexes, func(b string) bool { return strings.HasPrefix(sql, b) }) {
		return sql
	}
	in := p.place(s.of.name).schema
	if at := (name{in, s.index}); p.taken[at] && p.index[at] == "" {
		p.index[at] = p.free(at)
		p.taken[name{in, p.index[at]}] = true
		p.Warn(fmt.Sprintf("index %s becomes %s: the target has one of that name", at, plain(p.index[at])))
	}
	if len(p.index) == 0 {
		return sql
	}
	list := tokenize(sql)
	for i := len(list) - 1; i > 1; i-- {
		t, in := list[i], in
		if list[i-1].isSign(".") {
			in = p.place(name{list[i-2].text, t.text}).schema
		}
		if other := p.index[name{in, t.text}]; t.names() && other != "" && s.namesIndex(list, i) {
			sql = sql[:t.start] + server.Ident(other) + sql[t.end:]
		}
	}
	return sql
}

// namesIndex tells whether an index, or the key that it is for, is named at a place of one of these
// statements, where others may be that are called the same.
func (s *statement) namesIndex(list []token, i int) bool {
	switch before := list[i-1]; {
	case list[0].is("create"):
		return before.is("index") && i <= 3
	case list[1].is("index") || list[2].is("index"):
		return before.isSign(".")
	case before.is("constraint"):
		return s.index == list[i].text || list[0].is("comment") && slices.Contains(s.of.keys, list[i].text)
	default:
		return before.is("index") && list[i-2].is("using") || before.is("on") && list[i-2].is("cluster")
	}
}

// longest is a name's length in bytes, behind which servers cut it off.
const longest = 63

// free is a name of an index that neither the target has nor the dump.
func (p *Part) free(taken name) string {
	for n := 1; ; n++ {
		end := fmt.Sprintf("_%d", n)
		begin := taken.name[:min(len(taken.name), longest-len(end))]
		for !utf8.ValidString(begin) && utf8.ValidString(taken.name) { // cut within a letter
			begin = begin[:len(begin)-1]
		}
		other := name{taken.schema, begin + end}
		if !p.taken[other] && len(p.objects.byName[other]) == 0 {
			return other.name
		}
	}
}

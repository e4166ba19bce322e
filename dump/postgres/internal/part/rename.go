package part

import (
	"fmt"
	"slices"
	"strings"

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
	if p.old == "" {
		return s.item.Text
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
		to := p.place(r.name)
		if to == r.name || columns[r.start] {
			continue
		}
		b.WriteString(sql[from:r.start])
		if sql[r.start] == '\'' {
			b.WriteString(server.Literal(ident(to)))
		} else {
			b.WriteString(server.Ident(to.schema))
		}
		from = r.end
	}
	return b.String() + sql[from:]
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

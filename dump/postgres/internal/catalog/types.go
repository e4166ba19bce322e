package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// rowType is the value of pg_type.typtype for the type of a table's row and for standalone
// composite types.
const rowType = "c"

type typeRow struct {
	header
	Type     string
	Defined  bool
	Relation uint32   // of a composite type
	ACL      []string `db:"acl"`
	Def      []string
}

// readTypes reads the types that are not a table's row. Array and multirange types come with the
// types they are made for, and are found as those. Each table brings a row type and its array: too
// many to be looked at one by one.
func readTypes(ctx context.Context, c *Database) error {
	ranges, multiranges := "", "0"
	if c.srv.Version >= 140000 {
		ranges, multiranges = " UNION ALL SELECT rngmultitypid, rngtypid FROM pg_range WHERE rngmultitypid >= $1", "(SELECT count(*) FROM pg_type WHERE typtype = 'm' AND oid >= $1)"
	}
	type companion struct{ Type, Of uint32 }
	companions, err := server.Query[companion](ctx, c.conn, `SELECT typarray AS type, oid AS of FROM pg_type WHERE typarray >= $1`+ranges, server.FirstNormal)
	if err != nil {
		return err
	}
	c.counted("types that come with others", len(companions), "SELECT count(*) + "+multiranges+" FROM pg_type WHERE typarray >= $1")
	rows, err := server.Query[typeRow](ctx, c.conn, `
		SELECT t.oid, t.typnamespace AS schema, quote_ident(n.nspname) || '.' || quote_ident(t.typname) AS name, t.typowner AS owner,
		       t.typtype::text AS type, t.typisdefined AS defined, t.typrelid AS relation, t.typacl::text[] AS acl,
		       `+initial("pg_type", "t.oid", "'T'", "t.typowner", "t.typacl")+`
		FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
		LEFT JOIN pg_class r ON r.oid = t.typrelid
		LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
		WHERE e.oid IS NULL AND t.typtype <> 'm' AND (t.typtype <> 'c' OR r.relkind = 'c')
		  AND (t.oid >= $1 OR `+touched("pg_type", "t.oid", "t.typacl")+`) ORDER BY t.oid`, server.FirstNormal)
	if err != nil {
		return err
	}
	c.counted("types", users(rows, func(r typeRow) uint32 { return r.OID }), `SELECT count(*) FROM pg_type WHERE oid >= $1 AND typtype <> 'm'
		AND (typtype <> 'c' OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')) AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = pg_type.oid)`)
	for _, t := range rows {
		o := c.add(&object{Address: Address{class: classType, OID: t.OID}, kind: kindType, word: "TYPE"}, t.header)
		if err := c.grantOn(o, "TYPE", t.Owner, t.ACL, t.Def); err != nil {
			return err
		}
		if t.Type == rowType {
			c.at[Address{classRelation, t.Relation}] = o
		}
		if !t.Defined {
			o.define = func(p *script.Printer) { p.Stmt("CREATE TYPE %s", o.Name) }
		}
	}
	// An array may be of a multirange: as many rounds as there are such steps.
	for range 2 {
		for _, t := range companions {
			if of := c.at[Address{classType, t.Of}]; of != nil {
				c.at[Address{classType, t.Type}] = of
			}
		}
	}
	for _, read := range []func(context.Context, *Database) error{readBaseTypes, readEnums, readDomains, readRanges, readComposites} {
		if err := read(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func readEnums(ctx context.Context, c *Database) error {
	type row struct {
		Type   uint32
		Labels []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT enumtypid AS type, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels FROM pg_enum GROUP BY 1
		UNION ALL
		SELECT oid, '{}' FROM pg_type WHERE typtype = 'e' AND NOT EXISTS (SELECT FROM pg_enum WHERE enumtypid = pg_type.oid)`)
	n := 0
	for _, row := range rows {
		n += len(row.Labels)
	}
	c.counted("labels of enums", n, "SELECT count(*) FROM pg_enum")
	for _, row := range rows {
		o := c.at[Address{classType, row.Type}]
		if o == nil {
			continue
		}
		o.define = func(p *script.Printer) {
			labels := make([]string, len(row.Labels))
			for i, l := range row.Labels {
				labels[i] = "\n    " + server.Literal(l)
			}
			p.Stmt("CREATE TYPE %s AS ENUM (%s\n)", o.Name, strings.Join(labels, ","))
		}
	}
	return err
}

func readRanges(ctx context.Context, c *Database) error {
	type row struct {
		OID                       uint32
		Subtype                   string
		Multi, Opclass, Collation *string
		Canonical, Difference     string
	}
	multi := "NULL"
	if c.srv.Version >= 140000 {
		multi = "format_type(rngmultitypid, NULL)"
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT rngtypid AS oid, format_type(rngsubtype, NULL) AS subtype, `+multi+` AS multi,
		       CASE WHEN NOT o.opcdefault THEN (SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = o.opcnamespace) || '.' || quote_ident(o.opcname) END AS opclass,
		       CASE WHEN rngcollation <> s.typcollation THEN (`+collationName+` AND co.oid = rngcollation) END AS collation,
		       rngcanonical::text AS canonical, rngsubdiff::text AS difference
		FROM pg_range r JOIN pg_type s ON s.oid = rngsubtype JOIN pg_opclass o ON o.oid = rngsubopc
		WHERE rngtypid >= $1`, server.FirstNormal)
	for _, row := range rows {
		o := c.at[Address{classType, row.OID}]
		o.define = func(p *script.Printer) {
			list := []string{"subtype = " + row.Subtype}
			if row.Multi != nil {
				list = append(list, "multirange_type_name = "+*row.Multi)
			}
			if row.Opclass != nil {
				list = append(list, "subtype_opclass = "+*row.Opclass)
			}
			if row.Collation != nil {
				list = append(list, "collation = "+*row.Collation)
			}
			if row.Canonical != "-" {
				list = append(list, "canonical = "+row.Canonical)
			}
			if row.Difference != "-" {
				list = append(list, "subtype_diff = "+row.Difference)
			}
			p.Stmt("CREATE TYPE %s AS RANGE (\n    %s\n)", o.Name, strings.Join(list, ",\n    "))
		}
		if row.Canonical != "-" {
			c.shell(o)
		}
	}
	return err
}

// shell lets a type's functions be made before the type: they need only to know that there will be
// one of that name.
func (c *Database) shell(o *object) {
	s := &object{kind: kindType, word: "shell type", Name: o.Name}
	s.goes = true
	s.define = func(p *script.Printer) { p.Stmt("CREATE TYPE %s", o.Name) }
	o.shell = s
}

func readComposites(ctx context.Context, c *Database) error {
	type row struct {
		Type, Relation uint32
		Num            *int16
		Column, Of     *string
		Collation      *string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT t.oid AS type, r.oid AS relation, a.attnum AS num, quote_ident(a.attname) AS column, format_type(a.atttypid, a.atttypmod) AS of,
		       CASE WHEN a.attcollation <> at.typcollation THEN (`+collationName+` AND co.oid = a.attcollation) END AS collation
		FROM pg_type t JOIN pg_class r ON r.oid = t.typrelid AND r.relkind = 'c'
		LEFT JOIN (pg_attribute a JOIN pg_type at ON at.oid = a.atttypid) ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE t.oid >= $1 ORDER BY t.oid, a.attnum`, server.FirstNormal)
	columns := map[*object][]string{}
	for _, row := range rows {
		o := c.at[Address{classType, row.Type}]
		o.define = func(p *script.Printer) {
			p.Stmt("CREATE TYPE %s AS (%s\n)", o.Name, strings.Join(columns[o], ","))
		}
		if row.Num == nil {
			continue
		}
		column := "\n    " + *row.Column + " " + *row.Of
		if row.Collation != nil {
			column += " COLLATE " + *row.Collation
		}
		columns[o] = append(columns[o], column)
		c.commentOn(o, Address{classRelation, row.Relation}, *row.Num, "COLUMN "+o.Name+"."+*row.Column)
	}
	return err
}

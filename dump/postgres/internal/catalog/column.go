package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// An attribute is a column of a relation or of a composite type.
type attribute struct {
	Relation    uint32
	Num         int16
	Raw         string
	Quoted      string
	Type        *string // with its modifier; NULL where dropped
	Collation   *string // where it differs from the type's
	NotNull     bool
	Dropped     bool
	Local       bool // defined here, not only inherited
	Identity    string
	Generated   string
	Statistics  *int16
	Storage     string
	TypeStorage *string
	Compression string
	Options     []string
	FDWOptions  *string
	ACL         []string `db:"acl"`

	expr         string // of DEFAULT or GENERATED; empty: none
	value        string // the same, as far as it is written
	separate     bool   // the default is set after the table is made
	inheritsNull bool   // NOT NULL comes from a parent
	// Of a NOT NULL that is a constraint (18):
	notNull     *constraint // nil: there is none, or it is not validated
	notNullName string      // where it is not the one that the server would choose
}

// readColumns reads the columns of every relation that is dumped and of those they inherit from. A
// sequence's are the same in all; only privileges on them count.
func readColumns(ctx context.Context, c *Database) error {
	compression := "''"
	if c.srv.Version >= 140000 {
		compression = "a.attcompression::text"
	}
	var columns []attribute // of one relation
	known := texts{}
	take := func() {
		if len(columns) > 0 {
			c.rels[columns[0].Relation].columns = slices.Clone(columns)
			columns = columns[:0]
		}
	}
	all := 0
	err := server.Each(ctx, c.conn, func(row *attributeRow) error {
		if c.rels[row.Relation].Kind != sequence {
			all++
		}
		if len(columns) > 0 && columns[0].Relation != row.Relation {
			take()
		}
		row.Type, row.TypeStorage, row.Collation = known.one(row.Type), known.one(row.TypeStorage), known.one(row.Collation)
		row.Storage, row.Identity, row.Generated, row.Compression = *known.one(&row.Storage), *known.one(&row.Identity), *known.one(&row.Generated), *known.one(&row.Compression)
		columns = append(columns, row.attribute)
		if row.Dropped {
			return nil
		}
		r := c.rels[row.Relation]
		name := r.Name + "." + row.Quoted
		c.commentOn(r.object, r.Address, row.Num, "COLUMN "+name)
		return c.grantColumn(r.object, "TABLE "+r.Name, row.Quoted, r.Owner, row.ACL, row.Def)
	}, `
		SELECT a.attrelid AS relation, a.attnum AS num, a.attname AS raw, quote_ident(a.attname) AS quoted,
		       format_type(t.oid, a.atttypmod) AS type,
		       CASE WHEN a.attcollation <> t.typcollation THEN (`+collationName+` AND co.oid = a.attcollation) END AS collation,
		       a.attnotnull AS not_null, a.attisdropped AS dropped, a.attislocal AS local,
		       a.attidentity::text AS identity, a.attgenerated::text AS generated, a.attstattarget::int2 AS statistics,
		       a.attstorage::text AS storage, t.typstorage::text AS type_storage, `+compression+` AS compression,
		       a.attoptions AS options,
		       CASE WHEN a.attfdwoptions IS NOT NULL THEN (SELECT string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), E',\n    ' ORDER BY option_name)
		        FROM pg_options_to_table(a.attfdwoptions)) END AS fdwoptions,
		       a.attacl::text[] AS acl,
		       CASE WHEN a.attacl IS NOT NULL THEN coalesce((SELECT initprivs FROM pg_init_privs i WHERE i.objoid = a.attrelid AND i.classoid = 'pg_class'::regclass AND i.objsubid = a.attnum),
		                acldefault('c', c.relowner))::text[] END AS def
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		LEFT JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attnum > 0 AND c.oid = ANY ($1) AND (c.relkind <> 'S' OR a.attacl IS NOT NULL)
		ORDER BY a.attrelid, a.attnum`, c.relationOIDs())
	if err != nil {
		return err
	}
	take()
	c.counted("columns", all, "SELECT coalesce(sum(relnatts), 0) FROM pg_class WHERE oid = ANY ($2) AND relkind <> 'S'")
	return c.readSystemColumnGrants(ctx)
}

// readSystemColumnGrants reads what was granted on columns of the catalogues.
func (c *Database) readSystemColumnGrants(ctx context.Context) error {
	type row struct {
		Relation uint32
		Quoted   string
		ACL      []string `db:"acl"`
		Def      []string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT attrelid AS relation, quote_ident(attname) AS quoted, coalesce(attacl, '{}')::text[] AS acl, coalesce(initprivs, '{}')::text[] AS def
		FROM pg_attribute a JOIN pg_class r ON r.oid = attrelid
		LEFT JOIN pg_init_privs i ON i.objoid = attrelid AND i.classoid = 'pg_class'::regclass AND i.objsubid = attnum
		WHERE r.relnamespace = 'pg_catalog'::regnamespace AND r.oid < $1 AND attacl IS DISTINCT FROM initprivs
		ORDER BY attrelid, attnum`, server.FirstNormal)
	for _, row := range rows {
		if r := c.rels[row.Relation]; r != nil {
			if err := c.grantColumn(r.object, "TABLE "+r.Name, row.Quoted, r.Owner, row.ACL, row.Def); err != nil {
				return err
			}
		}
	}
	return err
}

// collationName is the start of a subquery for a collation's name; a condition follows.
const collationName = `SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
	FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE true`

type attributeRow struct {
	attribute
	Def []string
}

// printed tells whether CREATE TABLE lists the column: those of a partition all are, since a
// partition is made as a table of its own.
func (a *attribute) printed(r *Relation) bool {
	return !a.Dropped && (a.Local || r.Partition)
}

// definition writes the column as CREATE TABLE lists it, or reports false where it comes from a
// parent or the table's type. A generated column's expression is in the table's mould, where it has
// one.
func (a *attribute) definition(r *Relation) (string, bool) {
	if !a.printed(r) {
		return "", false
	}
	value := a.value != "" && !a.separate && !(r.mould != "" && a.Generated != "")
	notNull := a.NotNull && (!a.inheritsNull || r.Partition)
	if r.OfType != nil && !value && !notNull {
		return "", false
	}
	var b strings.Builder
	b.WriteString(a.Quoted)
	if r.OfType == nil {
		b.WriteString(" " + *a.Type)
	}
	if r.Kind == foreignTable && a.FDWOptions != nil {
		b.WriteString(" OPTIONS (" + *a.FDWOptions + ")")
	}
	if a.Collation != nil {
		b.WriteString(" COLLATE " + *a.Collation)
	}
	switch {
	case value && a.Generated != "":
		b.WriteString(a.generation(a.value))
	case value:
		b.WriteString(" DEFAULT " + a.value)
	}
	if notNull {
		if a.notNullName != "" {
			b.WriteString(" CONSTRAINT " + a.notNullName)
		}
		b.WriteString(" NOT NULL")
		if a.notNull != nil && !a.notNull.Inherits {
			b.WriteString(" NO INHERIT")
		}
	}
	return b.String(), true
}

// generation writes how a generated column is computed.
func (a *attribute) generation(expr string) string {
	kind := map[string]string{"s": "STORED", "v": "VIRTUAL"}[a.Generated]
	return " GENERATED ALWAYS AS (" + expr + ") " + kind
}

// ownNotNull writes the NOT NULL of a column that CREATE TABLE does not list, as an element of its
// own, or reports false.
func (a *attribute) ownNotNull(r *Relation) (string, bool) {
	if a.Dropped || a.printed(r) || a.notNull == nil || a.inheritsNull {
		return "", false
	}
	s := "NOT NULL " + a.Quoted
	if a.notNullName != "" {
		s = "CONSTRAINT " + a.notNullName + " " + s
	}
	if !a.notNull.Inherits {
		s += " NO INHERIT"
	}
	return s, true
}

// Storage strategies by pg_attribute.attstorage, compression methods by attcompression.
var (
	storages     = map[string]string{"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}
	compressions = map[string]string{"p": "pglz", "l": "lz4"}
)

// printColumnSettings writes the properties of columns that CREATE TABLE has no words for.
func (r *Relation) printColumnSettings(p *script.Printer) {
	for i := range r.columns {
		a := &r.columns[i]
		if a.Dropped {
			continue
		}
		column := func(format string, args ...any) {
			p.Stmt("%s ALTER COLUMN %s %s", r.alter(), a.Quoted, fmt.Sprintf(format, args...))
		}
		if !a.printed(r) && a.NotNull && a.notNull == nil && !a.inheritsNull {
			column("SET NOT NULL")
		}
		if a.Statistics != nil && *a.Statistics >= 0 {
			column("SET STATISTICS %d", *a.Statistics)
		}
		if s := storages[a.Storage]; s != "" && a.TypeStorage != nil && a.Storage != *a.TypeStorage {
			column("SET STORAGE %s", s)
		}
		if s := compressions[a.Compression]; s != "" {
			column("SET COMPRESSION %s", s)
		}
		if options := columnOptions.only(a.Options, r.Name+"."+a.Quoted, p.Warn); len(options) > 0 {
			column("SET (%s)", strings.Join(optionList("", options), ", "))
		}
		if r.Kind == foreignTable && a.FDWOptions != nil && !a.printed(r) {
			column("OPTIONS (%s)", *a.FDWOptions)
		}
	}
}

// Copied lists the columns whose values COPY carries: all but the generated.
func (r *Relation) Copied() []string {
	var list []string
	for _, a := range r.columns {
		if !a.Dropped && a.Generated == "" {
			list = append(list, a.Quoted)
		}
	}
	return list
}

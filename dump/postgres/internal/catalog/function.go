package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// functionTexts are the statements that make a function.
type functionTexts struct {
	Definition *string // NULL of the server's and extensions', and where the function is gone
	Stub       *string // see stub
}

type functionRow struct {
	header
	functionTexts
	Kind      string
	RangeType uint32   // whose constructor it is; it comes with that type
	Signature []uint32 // the types of arguments and result
	ACL       []string `db:"acl"`
	Def       []string
}

// readFunctions reads functions, window functions and procedures. The server writes their
// definitions.
func readFunctions(ctx context.Context, c *Database) error {
	rows, err := server.Query[functionRow](ctx, c.conn, `
		SELECT p.oid, p.pronamespace AS schema, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name, p.proowner AS owner,
		       p.prokind::text AS kind,
		       coalesce((SELECT refobjid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
		                 AND refclassid = 'pg_type'::regclass AND deptype = 'i'), 0::oid) AS range_type,
		       CASE WHEN n.nspname <> 'pg_catalog' AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
		            THEN pg_get_functiondef(p.oid) END AS definition,
		       `+stub(c.srv)+` AS stub, coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype AS signature,
		       p.proacl::text[] AS acl,
		       `+initial("pg_proc", "p.oid", "'f'", "p.proowner", "p.proacl")+`
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
		WHERE p.prokind <> 'a' AND (p.oid >= $1 OR `+touched("pg_proc", "p.oid", "p.proacl")+`)
		ORDER BY p.oid`, server.FirstNormal)
	if err != nil {
		return err
	}
	c.counted("functions", users(rows, func(r functionRow) uint32 { return r.OID }), "SELECT count(*) FROM pg_proc WHERE oid >= $1 AND prokind <> 'a'")
	texts, err := c.functionTexts(ctx, rows)
	if err != nil {
		return err
	}
	for _, f := range rows {
		if f.RangeType != 0 {
			c.at[Address{classProc, f.OID}] = c.at[Address{classType, f.RangeType}]
			continue
		}
		word := "FUNCTION"
		if f.Kind == "p" {
			word = "PROCEDURE"
		}
		o := c.add(&object{Address: Address{class: classProc, OID: f.OID}, kind: kindFunction, word: word}, f.header)
		if err := c.grantOn(o, word, f.Owner, f.ACL, f.Def); err != nil {
			return err
		}
		if o.state.unmanaged() {
			continue
		}
		text := texts[f.OID]
		if text.Definition == nil {
			return gone("function", f.Name)
		}
		def := createNew(*text.Definition)
		o.define = func(p *script.Printer) { p.Defined(def, "CREATE "+word+" ") }
		if text.Stub != nil {
			c.signatures[o] = f.Signature
			o.stub = func() *object { return o.asStub(*text.Stub, def) }
		}
	}
	return nil
}

// functionTexts are the statements of the functions that have any, by the functions' OIDs. Those
// that psql would not read as the server does are asked for anew.
func (c *Database) functionTexts(ctx context.Context, rows []functionRow) (map[uint32]functionTexts, error) {
	texts := map[uint32]functionTexts{}
	var miscounted []uint32
	for _, f := range rows {
		if f.Definition == nil {
			continue
		}
		texts[f.OID] = f.functionTexts
		for _, text := range []*string{f.Definition, f.Stub} {
			if text == nil {
				continue
			}
			if _, err := script.Guarded(createNew(*text) + ";"); err != nil {
				miscounted = append(miscounted, f.OID)
				break
			}
		}
	}
	return texts, c.quoteWords(ctx, texts, miscounted)
}

// stub is an expression for the statement that makes of a function p, in schema n and language l,
// one that needs nothing but what its signature does: the body of SQL that the server has parsed
// (14) is empty, and defaults are NULL, but are there, so that it can be called as the function
// can. What those who need it look at when they are made is as in the function. It is NULL of
// functions that have neither of these, and so no need of that kind, and where CREATE OR REPLACE
// could not make the function of it: the type of a default cannot be changed, and that of one for a
// polymorphic argument is nowhere to be read.
func stub(srv server.Info) string {
	parsed := "false"
	if srv.Version >= 140000 {
		parsed = "p.prosqlbody IS NOT NULL"
	}
	return `
	CASE WHEN p.pronargdefaults = 0 AND NOT ` + parsed + ` OR EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, n) JOIN pg_type t ON t.oid = a.type
	                  WHERE a.n > p.pronargs - p.pronargdefaults AND t.typtype = 'p') THEN NULL
	ELSE format(E'CREATE %s %I.%I(%s)%s\n LANGUAGE %I%s%s%s%s\nAS %s', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, n.nspname, p.proname,
		(SELECT string_agg(concat_ws(' ', CASE a.mode WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'VARIADIC' END,
		                     CASE WHEN a.name <> '' THEN quote_ident(a.name) END, format_type(a.type, NULL),
		                     CASE WHEN a.mode <> 'o' AND a.input > p.pronargs - p.pronargdefaults THEN 'DEFAULT NULL::' || format_type(a.type, NULL) END), ', ' ORDER BY a.n)
		 FROM (SELECT n, type, coalesce(p.proargmodes[n], 'i') AS mode, coalesce(p.proargnames[n], '') AS name,
		              count(*) FILTER (WHERE coalesce(p.proargmodes[n], 'i') IN ('i', 'b', 'v')) OVER (ORDER BY n) AS input
		       FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY u(type, n)) a WHERE a.mode <> 't'),
		CASE WHEN p.prokind <> 'p' THEN E'\n RETURNS ' || pg_get_function_result(p.oid) END, l.lanname,
		CASE p.prokind WHEN 'w' THEN ' WINDOW' END, CASE p.provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' END,
		CASE WHEN p.proisstrict THEN ' STRICT' END, CASE p.proparallel WHEN 's' THEN ' PARALLEL SAFE' WHEN 'r' THEN ' PARALLEL RESTRICTED' END,
		concat_ws(', ', quote_literal(p.probin), quote_literal(p.prosrc))) END`
}

// asStub leaves of a function its stub and returns the object that makes the function of it.
func (o *object) asStub(stub, definition string) *object {
	o.stub = nil
	o.define = func(p *script.Printer) { p.Defined(stub, "CREATE "+o.word+" ") }
	whole := &object{Address: Address{classBody, o.OID}, kind: o.kind, word: "definition of " + strings.ToLower(o.word), Name: o.Name, state: o.state.ofPart()}
	// Back to the stub, which needs none of those that need it.
	whole.undo = ifFunction(o.Name, replacing(stub))
	whole.define = func(p *script.Printer) { p.Defined(replacing(definition), "CREATE OR REPLACE "+o.word+" ") }
	return whole
}

// replacing makes a definition one that replaces what is there.
func replacing(definition string) string {
	return strings.Replace(definition, "CREATE ", "CREATE OR REPLACE ", 1)
}

// quoteWords asks anew for statements, with every name in them quoted. To find the end of a
// SQL-standard body psql counts the words BEGIN, CASE and END in a function's definition, and those
// that are the name of a function, of a column in its body or of a schema as well, which the server
// does not quote by itself.
func (c *Database) quoteWords(ctx context.Context, texts map[uint32]functionTexts, of []uint32) error {
	if len(of) == 0 {
		return nil
	}
	type row struct {
		OID uint32
		functionTexts
	}
	if err := server.Exec(ctx, c.conn.PgConn(), "SET quote_all_identifiers = on"); err != nil {
		return err
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT p.oid, pg_get_functiondef(p.oid) AS definition, `+stub(c.srv)+` AS stub
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = ANY ($1)`, of)
	if err != nil {
		return err
	}
	for _, f := range rows {
		texts[f.OID] = f.functionTexts
	}
	return server.Exec(ctx, c.conn.PgConn(), "SET quote_all_identifiers = off")
}

// createNew makes a definition one that fails where something of that name is there already: it
// would be overwritten.
func createNew(definition string) string {
	return strings.Replace(strings.TrimSuffix(definition, "\n"), "CREATE OR REPLACE ", "CREATE ", 1)
}

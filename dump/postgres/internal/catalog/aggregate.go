package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readAggregates reads aggregate functions.
func readAggregates(ctx context.Context, c *Database) error {
	type row struct {
		header
		Signature  string // as GRANT ON FUNCTION names it
		Definition string
		ACL        []string `db:"acl"`
		Def        []string
	}
	// regproc and regtype are written quoted and qualified; option(x) leaves out what is not set.
	item := func(key, value, unset string) string {
		return `CASE WHEN ` + unset + ` THEN NULL ELSE '` + key + ` = ' || ` + value + ` END`
	}
	function := func(key, column string) string { return item(key, column+"::text", column+" = 0") }
	modify := func(key, column string) string {
		usual := `CASE aggkind WHEN 'n' THEN 'r' ELSE 'w' END`
		return item(key, `CASE `+column+` WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END`, column+` = `+usual)
	}
	parts := strings.Join([]string{
		item("SFUNC", "aggtransfn::text", "false"), item("STYPE", "format_type(aggtranstype, NULL)", "false"),
		item("SSPACE", "aggtransspace::text", "aggtransspace = 0"),
		item("INITCOND", "quote_literal(agginitval)", "agginitval IS NULL"),
		function("FINALFUNC", "aggfinalfn"), `CASE WHEN aggfinalextra THEN 'FINALFUNC_EXTRA' END`, modify("FINALFUNC_MODIFY", "aggfinalmodify"),
		function("COMBINEFUNC", "aggcombinefn"), function("SERIALFUNC", "aggserialfn"), function("DESERIALFUNC", "aggdeserialfn"),
		function("MSFUNC", "aggmtransfn"), function("MINVFUNC", "aggminvtransfn"),
		item("MSTYPE", "format_type(aggmtranstype, NULL)", "aggmtranstype = 0"), item("MSSPACE", "aggmtransspace::text", "aggmtransspace = 0"),
		item("MINITCOND", "quote_literal(aggminitval)", "aggminitval IS NULL"),
		function("MFINALFUNC", "aggmfinalfn"), `CASE WHEN aggmfinalextra THEN 'MFINALFUNC_EXTRA' END`, modify("MFINALFUNC_MODIFY", "aggmfinalmodify"),
		`(SELECT format('SORTOP = OPERATOR(%I.%s)', sn.nspname, so.oprname) FROM pg_operator so JOIN pg_namespace sn ON sn.oid = so.oprnamespace WHERE so.oid = aggsortop)`,
		`CASE WHEN aggkind = 'h' THEN 'HYPOTHETICAL' END`,
		`CASE proparallel WHEN 's' THEN 'PARALLEL = safe' WHEN 'r' THEN 'PARALLEL = restricted' END`,
	}, ", ")
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT p.oid, pronamespace AS schema,
		       format('%I.%I(%s)', nspname, proname, coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*')) AS name, proowner AS owner,
		       (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity AS signature,
		       format(E'CREATE AGGREGATE %I.%I(%s) (\n    ', nspname, proname, coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'))
		       || concat_ws(E',\n    ', `+parts+`) || E'\n)' AS definition,
		       proacl::text[] AS acl, `+initial("pg_proc", "p.oid", "'f'", "proowner", "proacl")+`
		FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid JOIN pg_namespace n ON n.oid = pronamespace
		WHERE p.oid >= $1 OR `+touched("pg_proc", "p.oid", "p.proacl")+` ORDER BY p.oid`, server.FirstNormal)
	if err != nil {
		return err
	}
	c.counted("aggregates", users(rows, func(r row) uint32 { return r.OID }), "SELECT count(*) FROM pg_proc WHERE oid >= $1 AND prokind = 'a'")
	for _, a := range rows {
		o := c.add(&object{Address: Address{class: classProc, OID: a.OID}, kind: kindAggregate, word: "AGGREGATE"}, a.header)
		if err := c.grantColumn(o, "FUNCTION "+a.Signature, "", a.Owner, a.ACL, a.Def); err != nil {
			return err
		}
		o.define = func(p *script.Printer) { p.Defined(a.Definition, "CREATE AGGREGATE ") }
	}
	return nil
}

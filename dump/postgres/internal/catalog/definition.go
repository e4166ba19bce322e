package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A definedKind is a kind of object whose statement one query gives whole: it returns oid, schema,
// name, owner and the definition, and where the kind has privileges, acl and def.
type definedKind struct {
	what  string
	class uint32
	kind  kind
	word  string
	sql   func(server.Info) string
	// more is an array of further statements, of which NULL ones do not count, in terms of the
	// query's row x. Empty: there are none.
	more string
	// since is the version that the kind came with, as in server.Info. No older server is asked for
	// it. 0: all have it.
	since int
}

// fixed is the query of a kind that is the same for every version.
func fixed(sql string) func(server.Info) string { return func(server.Info) string { return sql } }

// options writes OPTIONS (...) of a foreign object from an array of key=value.
func options(column string) string {
	return `coalesce((SELECT E' OPTIONS (\n    ' || string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), E',\n    ' ORDER BY option_name) || E'\n)'
		FROM pg_options_to_table(` + column + `)), '')`
}

// noGrants stands in for the columns of kinds without privileges.
const noGrants = `NULL::text[] AS acl, NULL::text[] AS def`

// initial is the list of privileges that an object is born with: what initdb or its extension gave
// it, else what the server gives to its kind. It is NULL where acl is: most objects have no list,
// and to look for each is what takes time.
func initial(class, oid, letter, owner, acl string) string {
	return fmt.Sprintf(`CASE WHEN %s IS NOT NULL THEN coalesce((SELECT initprivs FROM pg_init_privs i WHERE i.objoid = %s AND i.classoid = '%s'::regclass AND i.objsubid = 0),
		acldefault(%s, %s))::text[] END AS def`, acl, oid, class, letter, owner)
}

// touched tells of a system object whether its privileges are other than initdb made them. Most
// have none of either, which is seen without a look for each.
func touched(class, oid, acl string) string {
	of := fmt.Sprintf("classoid = '%s'::regclass AND objsubid = 0", class)
	return fmt.Sprintf(`CASE WHEN %s IS NULL AND %s NOT IN (SELECT objoid FROM pg_init_privs WHERE %s) THEN false
		ELSE %s IS DISTINCT FROM (SELECT initprivs FROM pg_init_privs i WHERE i.objoid = %s AND %s) END`, acl, oid, of, acl, oid, of)
}

// definedKinds are in an order in which none needs a later one.
var definedKinds = []definedKind{
	{"languages", classLanguage, kindLanguage, "LANGUAGE", fixed(`
		SELECT oid, 0::oid AS schema, quote_ident(lanname) AS name, lanowner AS owner,
		       format('CREATE %sPROCEDURAL LANGUAGE %I HANDLER %s', CASE WHEN lanpltrusted THEN 'TRUSTED ' END, lanname, lanplcallfoid::regproc)
		       || CASE WHEN laninline <> 0 THEN ' INLINE ' || laninline::regproc ELSE '' END
		       || CASE WHEN lanvalidator <> 0 THEN ' VALIDATOR ' || lanvalidator::regproc ELSE '' END AS definition,
		       lanacl::text[] AS acl, ` + initial("pg_language", "pg_language.oid", "'l'", "lanowner", "lanacl") + `
		FROM pg_language WHERE lanispl AND oid >= $1 OR ` + touched("pg_language", "pg_language.oid", "lanacl")), "", 0},
	{"transforms", classTransform, kindTransform, "TRANSFORM", fixed(`
		SELECT t.oid, 0::oid AS schema, format('FOR %s LANGUAGE %I', format_type(trftype, NULL), lanname) AS name, 0::oid AS owner,
		       format('CREATE TRANSFORM FOR %s LANGUAGE %I (%s)', format_type(trftype, NULL), lanname, concat_ws(', ',
		         CASE WHEN trffromsql <> 0 THEN 'FROM SQL WITH FUNCTION ' || (pg_identify_object('pg_proc'::regclass, trffromsql, 0)).identity END,
		         CASE WHEN trftosql <> 0 THEN 'TO SQL WITH FUNCTION ' || (pg_identify_object('pg_proc'::regclass, trftosql, 0)).identity END)) AS definition, ` + noGrants + `
		FROM pg_transform t JOIN pg_language l ON l.oid = trflang WHERE t.oid >= $1`), "", 0},
	{"casts", classCast, kindCast, "CAST", func(srv server.Info) string {
		made := "false" // casts of ranges to their multiranges come with them
		if srv.Version >= 140000 {
			made = "EXISTS (SELECT FROM pg_range WHERE rngtypid = castsource AND rngmultitypid = casttarget)"
		}
		return `
		SELECT oid, 0::oid AS schema, format('(%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL)) AS name, 0::oid AS owner,
		       format('CREATE CAST (%s AS %s) ', format_type(castsource, NULL), format_type(casttarget, NULL))
		       || CASE castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT'
		          ELSE 'WITH FUNCTION ' || (pg_identify_object('pg_proc'::regclass, castfunc, 0)).identity END
		       || CASE castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END AS definition, ` + noGrants + `
		FROM pg_cast WHERE oid >= $1 AND NOT ` + made
	}, "", 0},
	{"access methods", classAccessMethod, kindAccessMethod, "ACCESS METHOD", fixed(`
		SELECT oid, 0::oid AS schema, quote_ident(amname) AS name, 0::oid AS owner,
		       format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', amname, CASE amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, amhandler) AS definition, ` + noGrants + `
		FROM pg_am WHERE oid >= $1`), "", 0},
	{"operators", classOperator, kindOperator, "OPERATOR", fixed(`
		SELECT o.oid, oprnamespace AS schema,
		       format('%I.%s (%s, %s)', nspname, oprname, CASE WHEN oprleft = 0 THEN 'NONE' ELSE format_type(oprleft, NULL) END,
		              CASE WHEN oprright = 0 THEN 'NONE' ELSE format_type(oprright, NULL) END) AS name, oprowner AS owner,
		       format(E'CREATE OPERATOR %I.%s (\n    FUNCTION = %s', nspname, oprname, oprcode)
		       || CASE WHEN oprleft <> 0 THEN E',\n    LEFTARG = ' || format_type(oprleft, NULL) ELSE '' END
		       || CASE WHEN oprright <> 0 THEN E',\n    RIGHTARG = ' || format_type(oprright, NULL) ELSE '' END
		       || coalesce((SELECT format(E',\n    COMMUTATOR = OPERATOR(%I.%s)', n2.nspname, o2.oprname) FROM pg_operator o2 JOIN pg_namespace n2 ON n2.oid = o2.oprnamespace WHERE o2.oid = o.oprcom), '')
		       || coalesce((SELECT format(E',\n    NEGATOR = OPERATOR(%I.%s)', n2.nspname, o2.oprname) FROM pg_operator o2 JOIN pg_namespace n2 ON n2.oid = o2.oprnamespace WHERE o2.oid = o.oprnegate), '')
		       || CASE WHEN oprcanmerge THEN E',\n    MERGES' ELSE '' END || CASE WHEN oprcanhash THEN E',\n    HASHES' ELSE '' END
		       || CASE WHEN oprrest <> 0 THEN E',\n    RESTRICT = ' || oprrest ELSE '' END
		       || CASE WHEN oprjoin <> 0 THEN E',\n    JOIN = ' || oprjoin ELSE '' END || E'\n)' AS definition, ` + noGrants + `
		FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace WHERE o.oid >= $1 AND oprcode <> 0`), "", 0},
	{
		"operator families", classOpfamily, kindOpfamily, "OPERATOR FAMILY", fixed(`
		SELECT f.oid, opfnamespace AS schema, format('%I.%I USING %I', nspname, opfname, amname) AS name, opfowner AS owner,
		       format('CREATE OPERATOR FAMILY %I.%I USING %I', nspname, opfname, amname) AS definition, ` + noGrants + `
		FROM pg_opfamily f JOIN pg_namespace n ON n.oid = opfnamespace JOIN pg_am a ON a.oid = opfmethod WHERE f.oid >= $1`),
		`ARRAY[(SELECT 'ALTER OPERATOR FAMILY ' || x.name || E' ADD\n    ' || string_agg(item, E',\n    ' ORDER BY sort, number, item)
		        FROM (` + opfamilyItems("pg_opfamily", "x.oid", "x.oid") + `) i)]`, 0,
	},
	{"operator classes", classOpclass, kindOpclass, "OPERATOR CLASS", fixed(`
		SELECT c.oid, opcnamespace AS schema, format('%I.%I USING %I', n.nspname, opcname, amname) AS name, opcowner AS owner,
		       format(E'CREATE OPERATOR CLASS %I.%I\n    %sFOR TYPE %s USING %I FAMILY %I.%I AS\n    ', n.nspname, opcname, CASE WHEN opcdefault THEN 'DEFAULT ' END,
		              format_type(opcintype, NULL), amname, fn.nspname, opfname)
		       || coalesce(nullif(concat_ws(E',\n    ', CASE WHEN opckeytype <> 0 THEN 'STORAGE ' || format_type(opckeytype, NULL) END,
		          (SELECT string_agg(item, E',\n    ' ORDER BY sort, number, item) FROM (` + opfamilyItems("pg_opclass", "c.oid", "opcfamily") + `) x)), ''),
		          'STORAGE ' || format_type(opcintype, NULL)) AS definition, ` + noGrants + `
		FROM pg_opclass c JOIN pg_namespace n ON n.oid = opcnamespace JOIN pg_am a ON a.oid = opcmethod
		JOIN pg_opfamily f ON f.oid = opcfamily JOIN pg_namespace fn ON fn.oid = opfnamespace WHERE c.oid >= $1`), "", 0},
	{"conversions", classConversion, kindConversion, "CONVERSION", fixed(`
		SELECT c.oid, connamespace AS schema, format('%I.%I', nspname, conname) AS name, conowner AS owner,
		       format('CREATE %sCONVERSION %I.%I FOR %L TO %L FROM %s', CASE WHEN condefault THEN 'DEFAULT ' END, nspname, conname,
		              pg_encoding_to_char(conforencoding), pg_encoding_to_char(contoencoding), conproc) AS definition, ` + noGrants + `
		FROM pg_conversion c JOIN pg_namespace n ON n.oid = connamespace WHERE c.oid >= $1`), "", 0},
	{"text search parsers", classTSParser, kindTSParser, "TEXT SEARCH PARSER", fixed(`
		SELECT p.oid, prsnamespace AS schema, format('%I.%I', nspname, prsname) AS name, 0::oid AS owner,
		       format(E'CREATE TEXT SEARCH PARSER %I.%I (\n    START = %s,\n    GETTOKEN = %s,\n    END = %s%s,\n    LEXTYPES = %s)', nspname, prsname, prsstart, prstoken, prsend,
		              CASE WHEN prsheadline <> 0 THEN E',\n    HEADLINE = ' || prsheadline END, prslextype) AS definition, ` + noGrants + `
		FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = prsnamespace WHERE p.oid >= $1`), "", 0},
	{"text search templates", classTSTemplate, kindTSTemplate, "TEXT SEARCH TEMPLATE", fixed(`
		SELECT t.oid, tmplnamespace AS schema, format('%I.%I', nspname, tmplname) AS name, 0::oid AS owner,
		       format(E'CREATE TEXT SEARCH TEMPLATE %I.%I (%s\n    LEXIZE = %s)', nspname, tmplname,
		              CASE WHEN tmplinit <> 0 THEN E'\n    INIT = ' || tmplinit || ',' END, tmpllexize) AS definition, ` + noGrants + `
		FROM pg_ts_template t JOIN pg_namespace n ON n.oid = tmplnamespace WHERE t.oid >= $1`), "", 0},
	{"text search dictionaries", classTSDictionary, kindTSDictionary, "TEXT SEARCH DICTIONARY", fixed(`
		SELECT d.oid, dictnamespace AS schema, format('%I.%I', n.nspname, dictname) AS name, dictowner AS owner,
		       format(E'CREATE TEXT SEARCH DICTIONARY %I.%I (\n    TEMPLATE = %I.%I%s)', n.nspname, dictname, tn.nspname, tmplname,
		              E',\n    ' || dictinitoption) AS definition, ` + noGrants + `
		FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = dictnamespace
		JOIN pg_ts_template t ON t.oid = dicttemplate JOIN pg_namespace tn ON tn.oid = tmplnamespace WHERE d.oid >= $1`), "", 0},
	{
		"text search configurations", classTSConfig, kindTSConfig, "TEXT SEARCH CONFIGURATION", fixed(`
		SELECT c.oid, cfgnamespace AS schema, format('%I.%I', n.nspname, cfgname) AS name, cfgowner AS owner,
		       format(E'CREATE TEXT SEARCH CONFIGURATION %I.%I (\n    PARSER = %I.%I)', n.nspname, cfgname, pn.nspname, prsname) AS definition, ` + noGrants + `
		FROM pg_ts_config c JOIN pg_namespace n ON n.oid = cfgnamespace
		JOIN pg_ts_parser p ON p.oid = cfgparser JOIN pg_namespace pn ON pn.oid = prsnamespace WHERE c.oid >= $1`),
		`ARRAY(SELECT format('ALTER TEXT SEARCH CONFIGURATION %s ADD MAPPING FOR %I WITH %s', x.name,
		              (SELECT alias FROM ts_token_type(cfgparser) t WHERE t.tokid = maptokentype), string_agg(mapdict::regdictionary::text, ', ' ORDER BY mapseqno))
		       FROM pg_ts_config_map m JOIN pg_ts_config c ON c.oid = mapcfg WHERE mapcfg = x.oid GROUP BY cfgparser, maptokentype ORDER BY maptokentype)`, 0,
	},
	{"foreign-data wrappers", classForeignData, kindForeignData, "FOREIGN DATA WRAPPER", fixed(`
		SELECT oid, 0::oid AS schema, quote_ident(fdwname) AS name, fdwowner AS owner,
		       format('CREATE FOREIGN DATA WRAPPER %I', fdwname) || CASE WHEN fdwhandler <> 0 THEN ' HANDLER ' || fdwhandler::regproc ELSE '' END
		       || CASE WHEN fdwvalidator <> 0 THEN ' VALIDATOR ' || fdwvalidator::regproc ELSE '' END || ` + options("fdwoptions") + ` AS definition,
		       fdwacl::text[] AS acl, ` + initial("pg_foreign_data_wrapper", "pg_foreign_data_wrapper.oid", "'F'", "fdwowner", "fdwacl") + `
		FROM pg_foreign_data_wrapper WHERE oid >= $1`), "", 0},
	{"foreign servers", classForeignServer, kindForeignServer, "SERVER", fixed(`
		SELECT s.oid, 0::oid AS schema, quote_ident(srvname) AS name, srvowner AS owner,
		       format('CREATE SERVER %I', srvname) || CASE WHEN srvtype <> '' THEN ' TYPE ' || quote_literal(srvtype) ELSE '' END
		       || CASE WHEN srvversion <> '' THEN ' VERSION ' || quote_literal(srvversion) ELSE '' END
		       || format(' FOREIGN DATA WRAPPER %I', fdwname) || ` + options("srvoptions") + ` AS definition,
		       srvacl::text[] AS acl, ` + initial("pg_foreign_server", "s.oid", "'S'", "srvowner", "srvacl") + `
		FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = srvfdw WHERE s.oid >= $1`), "", 0},
	{"user mappings", classUserMapping, kindUserMapping, "USER MAPPING", func(srv server.Info) string {
		// The view shows options to whom they are for, and NULL to others: see blindMappings.
		from, umid := "pg_user_mapping u JOIN pg_foreign_server s ON s.oid = u.umserver LEFT JOIN (SELECT oid AS useroid, rolname AS usename FROM pg_roles) r ON useroid = umuser", "u.oid"
		if !srv.SeesMappings {
			from, umid = "pg_user_mappings", "umid"
		}
		return `
		SELECT ` + umid + ` AS oid, 0::oid AS schema, format('FOR %s SERVER %I', CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname) AS name, 0::oid AS owner,
		       format('CREATE USER MAPPING FOR %s SERVER %I', CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname)
		       || ` + options("umoptions") + ` AS definition, ` + noGrants + `
		FROM ` + from + ` WHERE ` + umid + ` >= $1`
	}, "", 0},
	{
		"statistics", classStatisticsExt, kindStatistics, "STATISTICS", fixed(`
		SELECT s.oid, stxnamespace AS schema, format('%I.%I', nspname, stxname) AS name, stxowner AS owner,
		       pg_get_statisticsobjdef(s.oid) AS definition, ` + noGrants + `
		FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace WHERE s.oid >= $1`),
		`ARRAY[(SELECT format('ALTER STATISTICS %s SET STATISTICS %s', x.name, stxstattarget) FROM pg_statistic_ext WHERE oid = x.oid AND stxstattarget >= 0)]`, 0,
	},
	{
		"event triggers", classEventTrigger, kindEventTrigger, "EVENT TRIGGER", fixed(`
		SELECT oid, 0::oid AS schema, quote_ident(evtname) AS name, evtowner AS owner,
		       format('CREATE EVENT TRIGGER %I ON %I', evtname, evtevent)
		       || coalesce(E'\n         WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ') FROM unnest(evttags) t) || ')', '')
		       || E'\n   EXECUTE FUNCTION ' || evtfoid::regproc || '()' AS definition, ` + noGrants + `
		FROM pg_event_trigger WHERE oid >= $1`),
		`ARRAY[(SELECT format('ALTER EVENT TRIGGER %s %s', x.name, CASE evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END)
		        FROM pg_event_trigger WHERE oid = x.oid AND evtenabled <> 'O')]`, 0,
	},
	{"publications", classPublication, kindPublication, "PUBLICATION", func(srv server.Info) string {
		more := ""
		if srv.Version >= 180000 {
			more = ` || CASE pubgencols WHEN 's' THEN ', publish_generated_columns = stored' ELSE '' END`
		}
		return `
		SELECT oid, 0::oid AS schema, quote_ident(pubname) AS name, pubowner AS owner,
		       format('CREATE PUBLICATION %I%s WITH (publish = %L%s', pubname, CASE WHEN puballtables THEN ' FOR ALL TABLES' END,
		              concat_ws(', ', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END),
		              CASE WHEN pubviaroot THEN ', publish_via_partition_root = true' END)` + more + ` || ')' AS definition, ` + noGrants + `
		FROM pg_publication WHERE oid >= $1`
	}, "", 0},
}

// opfamilyItems selects the members of an operator family that are tied to the object oid of
// catalogue class: the family itself for loose ones, or a class.
func opfamilyItems(class, oid, family string) string {
	tied := func(catalogue, member string) string {
		return fmt.Sprintf(`EXISTS (SELECT FROM pg_depend WHERE classid = '%s'::regclass AND objid = %s.oid AND refclassid = '%s'::regclass AND refobjid = %s)`,
			catalogue, member, class, oid)
	}
	return `
		SELECT 1 AS sort, amopstrategy AS number, format('OPERATOR %s %s', amopstrategy, amopopr::regoperator)
		       || coalesce((SELECT format(' FOR ORDER BY %I.%I', sn.nspname, sf.opfname) FROM pg_opfamily sf JOIN pg_namespace sn ON sn.oid = sf.opfnamespace WHERE sf.oid = amopsortfamily), '') AS item
		FROM pg_amop o WHERE amopfamily = ` + family + ` AND ` + tied("pg_amop", "o") + `
		UNION ALL
		SELECT 2, amprocnum, format('FUNCTION %s (%s, %s) %s', amprocnum, format_type(amproclefttype, NULL), format_type(amprocrighttype, NULL), amproc::regprocedure)
		FROM pg_amproc p WHERE amprocfamily = ` + family + ` AND ` + tied("pg_amproc", "p")
}

// catalogues are where the kinds of this file are that many a database has none of. count knows
// where the others are.
var catalogues = map[uint32]string{
	classTransform: "pg_transform", classCast: "pg_cast", classAccessMethod: "pg_am", classOperator: "pg_operator", classOpfamily: "pg_opfamily",
	classOpclass: "pg_opclass", classConversion: "pg_conversion", classTSParser: "pg_ts_parser", classTSTemplate: "pg_ts_template",
	classTSDictionary: "pg_ts_dict", classTSConfig: "pg_ts_config", classStatisticsExt: "pg_statistic_ext", classEventTrigger: "pg_event_trigger",
	classPublication: "pg_publication",
}

// kindsOf are the kinds of this file that a server knows, and may be asked for: to any query of a
// catalogue that it lacks it answers with an error. They are taken from nowhere else.
func kindsOf(srv server.Info) []definedKind {
	return slices.DeleteFunc(slices.Clone(definedKinds), func(k definedKind) bool { return srv.Version < k.since })
}

// occurring finds which of the kinds there are in the database. Most have none of most, and
// planning the query for what is not there takes longer than this.
func (c *Database) occurring(ctx context.Context, kinds []definedKind) (map[uint32]bool, error) {
	classes, sql := occurrence(kinds)
	rows, err := server.Query[struct{ Exist []bool }](ctx, c.conn, sql, server.FirstNormal)
	if err != nil {
		return nil, err
	}
	found := make(map[uint32]bool, len(classes))
	for i, class := range classes {
		found[class] = rows[0].Exist[i]
	}
	return found, nil
}

// occurrence is the query of occurring, and the classes that it answers for, in the order of its
// answers.
func occurrence(kinds []definedKind) (classes []uint32, sql string) {
	var exist []string
	for _, k := range kinds {
		if catalogue, ok := catalogues[k.class]; ok {
			classes = append(classes, k.class)
			exist = append(exist, "EXISTS (SELECT FROM "+catalogue+" WHERE oid >= $1)")
		}
	}
	return classes, "SELECT ARRAY[" + strings.Join(exist, ", ") + "] AS exist"
}

// readDefinitions reads the kinds of this file.
func readDefinitions(ctx context.Context, c *Database) error {
	type row struct {
		header
		Definition *string
		ACL        []string `db:"acl"`
		Def        []string
		More       []string
	}
	kinds := kindsOf(c.srv)
	occurring, err := c.occurring(ctx, kinds)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		if found, known := occurring[k.class]; known && !found {
			continue
		}
		more := "NULL::text[]"
		if k.more != "" {
			more = "array_remove(" + k.more + ", NULL)"
		}
		rows, err := server.Query[row](ctx, c.conn, "SELECT x.*, "+more+" AS more FROM ("+k.sql(c.srv)+") x ORDER BY x.oid", server.FirstNormal)
		if err != nil {
			return fmt.Errorf("%s: %w", k.what, err)
		}
		c.counted(k.what, users(rows, func(r row) uint32 { return r.OID }), k.count(c.srv))
		for _, row := range rows {
			o := c.add(&object{Address: Address{class: k.class, OID: row.OID}, kind: k.kind, word: k.word}, row.header)
			if err := c.grantOn(o, k.grantWord(), row.Owner, row.ACL, row.Def); err != nil {
				return err
			}
			if row.OID < server.FirstNormal {
				o.state = o.state.toOthers()
			}
			if o.state.unmanaged() {
				continue
			}
			if row.Definition == nil {
				return gone(strings.ToLower(k.word), row.Name)
			}
			o.define = func(p *script.Printer) {
				p.Defined(*row.Definition, k.beginnings()...)
				for _, s := range row.More {
					p.Defined(s, "ALTER "+k.word+" ")
				}
			}
		}
	}
	return nil
}

// beginnings are how the kind's statement may begin.
func (k definedKind) beginnings() []string {
	switch k.class {
	case classLanguage:
		return []string{"CREATE PROCEDURAL LANGUAGE ", "CREATE TRUSTED PROCEDURAL LANGUAGE "}
	case classConversion:
		return []string{"CREATE CONVERSION ", "CREATE DEFAULT CONVERSION "}
	}
	return []string{"CREATE " + k.word + " "}
}

// count is the query that counts the kind's objects of users.
func (k definedKind) count(srv server.Info) string {
	catalogue, oid, condition := catalogues[k.class], "oid", ""
	switch k.class {
	case classLanguage:
		catalogue, condition = "pg_language", " AND lanispl"
	case classForeignData:
		catalogue = "pg_foreign_data_wrapper"
	case classForeignServer:
		catalogue = "pg_foreign_server"
	case classUserMapping:
		if catalogue = "pg_user_mapping"; !srv.SeesMappings {
			catalogue, oid = "pg_user_mappings", "umid"
		}
	case classOperator:
		condition = " AND oprcode <> 0"
	case classCast:
		if srv.Version >= 140000 {
			condition = " AND (castsource, casttarget) NOT IN (SELECT rngtypid, rngmultitypid FROM pg_range)"
		}
	}
	return "SELECT count(*) FROM " + catalogue + " WHERE " + oid + " >= $1" + condition
}

// grantWord is what GRANT calls the kind.
func (k definedKind) grantWord() string {
	if k.class == classForeignServer {
		return "FOREIGN SERVER"
	}
	return k.word
}

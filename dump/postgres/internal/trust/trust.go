// Package trust keeps the code of a database's users out of the dump's sessions: it judges whose
// tables may be planned, and its guard keeps others from a table while it is. What is read of a
// table that may not be is up to the caller.
//
// Planning a SELECT runs code. The planner evaluates what is constant in the expressions and
// predicates of a table's indexes and in its statistics, and loads the constraints of domains that
// are named there, as whoever asks: a function that the table's owner wrote would run as the
// backup's role. A plain COPY of a table plans nothing. So a table is read by SELECTs only where
// all that the planner would meet is the server's own, and where nobody whom the role does not
// trust anyway can put something else there in between (see Guard).
package trust

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// usersCode selects the tables whose planning would meet code of users, of those that the condition
// on relation holds for. All that the planner looks at, or might in another version, names its
// functions, operators and types in pg_depend, from which its owner cannot take anything away.
//
// A function counts as the server's own when a superuser owns it and it is written in C: one in SQL
// or another language is bound to what it calls by name when it runs, under a search path that is
// not its author's, and may not find it. An operator counts as its function does, if a superuser
// owns it too: its commutator and negator are set by its owner, and the planner goes to them. Base
// types and enums have no code of their own but such; domains, composites and ranges may. Of
// columns the types are looked at, too: estimates of a range column's values call its type's
// functions, and only the column is named.
func usersCode(condition string, version int) string {
	const own = `EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
			WHERE p.oid = %s AND l.lanname IN ('internal', 'c') AND r.rolsuper)`
	ranges := "g.rngtypid IN (t.oid, e.oid, b.oid)"
	if version >= 140000 {
		ranges += " OR g.rngmultitypid IN (t.oid, e.oid, b.oid)"
	}
	return `
	SELECT part.relation FROM (
		SELECT indrelid AS relation, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, indexrelid AS object FROM pg_catalog.pg_index
		UNION ALL SELECT stxrelid, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid FROM pg_catalog.pg_statistic_ext
		UNION ALL SELECT conrelid, 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid FROM pg_catalog.pg_constraint WHERE contype = 'c'
		UNION ALL SELECT adrelid, 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid FROM pg_catalog.pg_attrdef d
		          JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated <> ''
		UNION ALL SELECT ev_class, 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid FROM pg_catalog.pg_rewrite
		UNION ALL SELECT c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass, up.relid FROM pg_catalog.pg_class c, pg_catalog.pg_partition_ancestors(c.oid) up
		          WHERE c.relispartition
	) part JOIN pg_catalog.pg_depend d ON d.classid = part.class AND d.objid = part.object
	WHERE ` + condition + fmt.Sprintf(` AND d.refobjid >= %d AND (
		d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND NOT `+fmt.Sprintf(own, "d.refobjid")+`
		OR d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_roles r ON r.oid = o.oprowner
		                   WHERE o.oid = d.refobjid AND r.rolsuper AND `+fmt.Sprintf(own, "o.oprcode")+`)
		OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjsubid = 0 AND d.objsubid = 0
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
		                   WHERE t.oid = d.refobjid AND (t.typtype = 'e' OR t.typtype = 'b' AND coalesce(e.typtype, 'b') IN ('b', 'e'))))`, server.FirstNormal) + `
	UNION
	SELECT part.relation FROM (SELECT attrelid AS relation, atttypid FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped) part
	JOIN pg_catalog.pg_type t ON t.oid = part.atttypid
	LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
	LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
	WHERE ` + condition + fmt.Sprintf(` AND t.oid >= %d AND (
		'c' IN (t.typtype, e.typtype, b.typtype) OR 'd' IN (e.typtype, b.typtype) OR b.typelem <> 0
		OR EXISTS (SELECT FROM pg_catalog.pg_range g WHERE t.oid >= %[1]d AND (`+ranges+`)
		           AND (g.rngsubdiff <> 0 AND NOT `+fmt.Sprintf(own, "g.rngsubdiff")+` OR g.rngcanonical <> 0 AND NOT `+fmt.Sprintf(own, "g.rngcanonical")+`)))`, server.FirstNormal)
}

// A Level is what keeps a table from being planned, or what has to be done first.
type Level int

const (
	Trusted    Level = iota // whoever could put code in the planner's way may do all that the role may
	Watched                 // somebody could, and can be kept from it while a plan is made
	Distrusted              // somebody has, or could and cannot be kept from it
)

// Judge says of each table how far its planning can be trusted. It looks at the catalogues as they
// were when the dump began: of those that are watched the guard looks again. Of sequences, for
// which nothing is evaluated when they are planned, it is asked whom they belong to alone.
//
// owners says that the owners of tables and schemas are trusted.
func Judge(ctx context.Context, conn *pgx.Conn, srv server.Info, owners bool, oids []uint32, planned bool) (map[uint32]Level, error) {
	type row struct {
		Relation                    uint32
		Owned, Lockable             bool
		SchemaOwned, SchemaLockable bool
	}
	maintain := ""
	if srv.Version >= 170000 {
		maintain = ", MAINTAIN"
	}
	rows, err := server.Query[row](ctx, conn, `
		SELECT c.oid AS relation,
		       -- An index on a partitioned table is made on its partitions, whoever owns them.
		       (NOT c.relispartition OR NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) up JOIN pg_catalog.pg_class u ON u.oid = up.relid
		                   JOIN pg_catalog.pg_roles ur ON ur.oid = u.relowner WHERE NOT ur.rolsuper AND ur.oid <> $2))
		       AND (o.rolsuper OR o.oid = $2) AS owned, s.rolsuper OR s.oid = $2 AS schema_owned,
		       pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE`+maintain+`') AS lockable,
		       pg_catalog.has_table_privilege('pg_catalog.pg_namespace', 'UPDATE, DELETE, TRUNCATE`+maintain+`') AS schema_lockable
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
		-- pg_database_owner is whoever owns the database.
		JOIN pg_catalog.pg_roles s ON s.oid = CASE n.nspowner
		     WHEN 6171 THEN (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ELSE n.nspowner END
		WHERE c.oid = ANY ($1)`, oids, srv.Role)
	if err != nil {
		return nil, err
	}
	var met []struct{ Relation uint32 }
	if planned {
		met, err = server.Query[struct{ Relation uint32 }](ctx, conn, usersCode("part.relation = ANY ($1)", srv.Version), oids)
	}
	if err != nil {
		return nil, err
	}
	of := make(map[uint32]Level, len(rows))
	for _, r := range rows {
		switch {
		case owners || r.Owned && r.SchemaOwned:
			of[r.Relation] = Trusted
		case srv.Standby || !r.Owned && !r.Lockable || !r.SchemaOwned && !r.SchemaLockable:
			// On a standby no lock keeps an owner from what he does on the primary.
			of[r.Relation] = Distrusted
		default:
			of[r.Relation] = Watched
		}
	}
	for _, m := range met {
		of[m.Relation] = Distrusted
	}
	return of, nil
}

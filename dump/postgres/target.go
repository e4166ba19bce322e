package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// userSchemas selects the schemas that are neither the system's nor an extension's.
const userSchemas = `
	SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = n.oid AND deptype = 'e')`

// contents names something that a user made in the database, or returns the
// empty string. Extensions do not count: a template may bring them, and a dump
// makes them only where they are missing.
func contents(ctx context.Context, conn *pgx.Conn) (string, error) {
	var found *string
	err := conn.QueryRow(ctx, `
		WITH s AS (`+userSchemas+`), member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
		found(what) AS (
			SELECT 'schema ' || pg_catalog.quote_ident(nspname) FROM s WHERE nspname <> 'public'
			UNION ALL
			SELECT 'relation ' || c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c JOIN s ON s.oid = c.relnamespace
			WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = c.oid)
			UNION ALL
			SELECT 'function ' || p.oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc p JOIN s ON s.oid = p.pronamespace
			WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND objid = p.oid)
			UNION ALL
			SELECT 'type ' || t.oid::pg_catalog.regtype FROM pg_catalog.pg_type t JOIN s ON s.oid = t.typnamespace
			WHERE t.typrelid = 0 AND t.typelem = 0
			  AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND objid = t.oid)
			UNION ALL
			SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata
		)
		SELECT (SELECT what FROM found LIMIT 1)`).Scan(&found)
	if err != nil {
		return "", fmt.Errorf("look into the database: %w", err)
	}
	if found == nil {
		return "", nil
	}
	return *found, nil
}

// prepareDatabase connects to the configured database, which has to be empty or
// is emptied.
func (s *loading) prepareDatabase(ctx context.Context) error {
	return s.prepareOne(ctx, s.Loader.conn.Database)
}

func (s *loading) prepareOne(ctx context.Context, database string) error {
	if err := s.use(ctx, database); err != nil {
		return err
	}
	if s.cfg.Clean {
		return s.clean(ctx)
	}
	found, err := contents(ctx, s.conn)
	if err != nil {
		return err
	}
	if found != "" {
		return fmt.Errorf("database %s: %w: it has %s", database, ErrNotEmpty, found)
	}
	return nil
}

// prepareCluster looks at every database that the dump makes or fills before
// anything is changed: those that every cluster has must be empty, others must
// not exist. With Clean the former are emptied and the latter dropped.
func (s *loading) prepareCluster(ctx context.Context) error {
	if err := s.use(ctx, "postgres"); err != nil {
		return err
	}
	rows, err := s.conn.Query(ctx, `SELECT datname FROM pg_catalog.pg_database WHERE datname = ANY ($1) AND datname NOT IN ('postgres', 'template1') ORDER BY 1`, s.databases)
	if err != nil {
		return err
	}
	existing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(existing) > 0 && !s.cfg.Clean {
		return fmt.Errorf("the server has database %s, which is in the dump: %w", strings.Join(existing, ", "), ErrNotEmpty)
	}
	for _, d := range existing {
		s.touched = true
		for _, sql := range []string{"ALTER DATABASE " + ident(d) + " IS_TEMPLATE false", "DROP DATABASE " + ident(d)} {
			if err := execAll(ctx, s.conn.PgConn(), sql); err != nil {
				return fmt.Errorf("drop database %s: %w", d, err)
			}
		}
	}
	for _, d := range []string{"template1", "postgres"} {
		if !slices.Contains(s.databases, d) {
			continue
		}
		if err := s.prepareOne(ctx, d); err != nil {
			return err
		}
	}
	return s.use(ctx, "postgres")
}

// clean drops everything that users made in the database, in one transaction:
// it is all gone, or after an error all still there. The schema public is made
// anew as initdb leaves it.
func (s *loading) clean(ctx context.Context) error {
	err := execAll(ctx, s.conn.PgConn(), fmt.Sprintf(`BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL search_path = ''; SET LOCAL lock_timeout = %d; %s COMMIT;`,
		s.cfg.LockTimeout.Milliseconds(), dropAll))
	if err != nil {
		return fmt.Errorf("clean the database: %w", lockRoom(err))
	}
	s.touched = true
	return nil
}

// dropAll drops first what stands outside schemas, then the schemas with all
// that is in them. An object that went with another one's CASCADE is passed over
// by IF EXISTS.
const dropAll = `
DO $clean$
DECLARE
	stmt text;
BEGIN
	-- A subscription's slot is on another server and is left there.
	FOR stmt IN
		SELECT pg_catalog.format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE); DROP SUBSCRIPTION %1$I', subname)
		FROM pg_catalog.pg_subscription WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
	LOOP
		EXECUTE stmt;
	END LOOP;
	FOR stmt IN
		SELECT pg_catalog.format('DROP EVENT TRIGGER IF EXISTS %I', evtname) FROM pg_catalog.pg_event_trigger
		UNION ALL SELECT pg_catalog.format('DROP PUBLICATION IF EXISTS %I', pubname) FROM pg_catalog.pg_publication
		UNION ALL SELECT pg_catalog.format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_catalog.pg_extension WHERE oid >= 16384
		UNION ALL SELECT pg_catalog.format('DROP FOREIGN DATA WRAPPER IF EXISTS %I CASCADE', fdwname) FROM pg_catalog.pg_foreign_data_wrapper
		UNION ALL SELECT pg_catalog.format('DROP LANGUAGE IF EXISTS %I CASCADE', lanname) FROM pg_catalog.pg_language WHERE oid >= 16384
	LOOP
		EXECUTE stmt;
	END LOOP;
	FOR stmt IN SELECT pg_catalog.format('DROP SCHEMA %I CASCADE', nspname) FROM (` + userSchemas + `) s
	LOOP
		EXECUTE stmt;
	END LOOP;
	FOR stmt IN SELECT pg_catalog.format('DROP ACCESS METHOD IF EXISTS %I CASCADE', amname) FROM pg_catalog.pg_am WHERE oid >= 16384
	LOOP
		EXECUTE stmt;
	END LOOP;
	-- Those left are between the system's own types.
	FOR stmt IN SELECT pg_catalog.format('DROP CAST IF EXISTS (%s AS %s) CASCADE', castsource::pg_catalog.regtype, casttarget::pg_catalog.regtype) FROM pg_catalog.pg_cast WHERE oid >= 16384
	LOOP
		EXECUTE stmt;
	END LOOP;
	-- Default privileges are dropped by making them what they are without any.
	FOR stmt IN
		WITH d AS (
			SELECT pg_catalog.pg_get_userbyid(defaclrole) AS role, defaclacl, defaclobjtype AS type,
			       CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
			            WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS word
			FROM pg_catalog.pg_default_acl WHERE defaclnamespace = 0)
		SELECT pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s ALL ON %s %s', role, verb, word, who) FROM (
			SELECT DISTINCT 1 AS step, role, 'REVOKE' AS verb, word, 'FROM ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS who
			FROM d, pg_catalog.aclexplode(defaclacl) a
			UNION ALL SELECT 2, role, 'GRANT', word, 'TO ' || pg_catalog.quote_ident(role) FROM d
			UNION ALL SELECT 2, role, 'GRANT', word, 'TO PUBLIC' FROM d WHERE type IN ('f', 'T')) x
		ORDER BY step
	LOOP
		EXECUTE stmt;
	END LOOP;
	PERFORM pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata;
	CREATE SCHEMA public;
	IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 150000 THEN
		EXECUTE 'ALTER SCHEMA public OWNER TO pg_database_owner';
		GRANT USAGE ON SCHEMA public TO PUBLIC;
	ELSE
		GRANT ALL ON SCHEMA public TO PUBLIC;
	END IF;
	COMMENT ON SCHEMA public IS 'standard public schema';
END
$clean$;
`

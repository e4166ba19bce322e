package fresh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Clean does what Empty does, and commits it: it is all done, or after an error nothing of it.
func (t Target) Clean(ctx context.Context) error {
	if err := t.Empty(ctx); err != nil {
		return err
	}
	if err := server.Exec(ctx, t.Conn.PgConn(), "COMMIT"); err != nil {
		return fmt.Errorf("clean the database: %w", err)
	}
	return nil
}

// Empty begins a transaction, drops everything in it that users made in the database and takes
// their privileges on what is the server's back. The schema public is made anew as initdb leaves
// it. What stays all the same is told.
func (t Target) Empty(ctx context.Context) error {
	if err := t.TryClean(ctx); err != nil {
		return err
	}
	other, err := catalog.Additions(ctx, t.Conn, t.Srv)
	var stays []catalog.Addition
	if err == nil && len(other) > 0 {
		if err = takeBack(ctx, t.Conn, other); err == nil {
			stays, err = catalog.Additions(ctx, t.Conn, t.Srv)
		}
	}
	if err != nil {
		return fmt.Errorf("clean the database: %w", err)
	}
	kept := NamesOf(stays)
	taken := slices.DeleteFunc(NamesOf(other), func(name string) bool { return slices.Contains(kept, name) })
	if len(taken) > 0 {
		t.Warn(fmt.Sprintf("database %s is as a new one again in: %s", t.Name, dump.Listed(taken)))
	}
	if len(kept) > 0 {
		t.Warn(fmt.Sprintf("database %s is not as a new one: the role may not drop or take back %s", t.Name, dump.Listed(kept)))
	}
	return nil
}

// TryClean begins a transaction and drops everything in it that users made.
func (t Target) TryClean(ctx context.Context) error {
	// What is left is counted twice, in one snapshot.
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_catalog.set_config('client_min_messages', 'warning', true), pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('client_encoding', " +
		server.Literal(t.Srv.Encoding) + ", true);"
	if err := server.Exec(ctx, t.Conn.PgConn(), begin+dropAll); err != nil {
		return fmt.Errorf("clean the database: %w", server.LockRoom(err))
	}
	return nil
}

// ForgetProperties takes back what was set for a database, granted on it and said of it. What the
// role may not is told.
func (t Target) ForgetProperties(ctx context.Context) error {
	c, err := cluster.Read(ctx, t.Conn, t.Srv, func(string) {})
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range c.Databases {
		if d.Name != t.Name {
			continue
		}
		for _, sql := range d.Without() {
			err := server.Exec(ctx, t.Conn.PgConn(), sql)
			if err == nil {
				t.Warn(fmt.Sprintf("database %s is as a new one again: %s", t.Name, strings.TrimRight(sql, ";\n")))
			}
			if err != nil && (!errors.As(err, new(*pgconn.PgError)) || t.Conn.IsClosed()) {
				return err
			}
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Warn(fmt.Sprintf("database %s keeps something that was set for it, granted on it or said of it where the dump says nothing else: %v", t.Name, err))
	}
	return nil
}

// TakeBack drops the additions, or gives them the privileges that they are born with, each by
// itself: what the server refuses stays. It is called in a transaction.
func takeBack(ctx context.Context, conn *pgx.Conn, list []catalog.Addition) error {
	for _, a := range slices.Backward(list) {
		statements, err := script.Statements(a.TakeBack)
		if err != nil || statements == "" {
			continue
		}
		err = server.Exec(ctx, conn.PgConn(), "SAVEPOINT one; "+statements+"RELEASE SAVEPOINT one")
		if errors.As(err, new(*pgconn.PgError)) && !conn.IsClosed() {
			err = server.Exec(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT one")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropAll drops first what stands outside schemas, then the schemas with all that is in them. An
// object that went with another one's CASCADE is passed over by IF EXISTS.
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
	FOR stmt IN SELECT pg_catalog.format('DROP SCHEMA %I CASCADE', nspname) FROM (` + catalog.UserSchemas + `) s
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
		IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
			EXECUTE pg_catalog.format('ALTER SCHEMA public OWNER TO %I', pg_catalog.pg_get_userbyid(10)); -- who has made the cluster
		END IF;
		GRANT ALL ON SCHEMA public TO PUBLIC;
	END IF;
	COMMENT ON SCHEMA public IS 'standard public schema';
END
$clean$;
`

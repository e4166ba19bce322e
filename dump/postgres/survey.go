package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Survey connects, names the database, and finds out whether there is anything
// to dump. It locks nothing. Of several databases it looks into as many as it
// takes to find something, where an empty dump is allowed; where it is not, the
// dump says so in time.
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) {
	survey, err := s.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", s.conn.Database, err)
	}
	return survey, nil
}

func (s *Source) survey(ctx context.Context) (dump.Survey, error) {
	conn, _, err := connect(ctx, s.conn, s.conn.Database, s.forReading)
	if err != nil {
		return dump.Survey{}, err
	}
	defer hangUp(conn)
	survey := dump.Survey{}
	if survey.Source, err = s.sourceName(ctx, conn); err != nil {
		return survey, err
	}
	names, err := databaseNames(ctx, conn)
	if err != nil {
		return survey, err
	}
	if s.several() {
		survey.Empty, err = s.surveySeveral(ctx, names)
		return survey, err
	}
	found, err := lookInto(ctx, conn)
	if err != nil {
		return survey, err
	}
	if survey.Empty = !s.sel.holds(found); survey.Empty && !s.cfg.AllowEmpty {
		return survey, s.nothing(s.instead(found, names))
	}
	return survey, nil
}

// surveySeveral tells whether a dump of several databases would be empty.
func (s *Source) surveySeveral(ctx context.Context, names []string) (bool, error) {
	wanted, err := s.wanted(names)
	if err != nil || !s.cfg.AllowEmpty {
		return false, err
	}
	for _, name := range wanted {
		conn, _, err := connect(ctx, s.conn, name, s.forReading)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		found, err := lookInto(ctx, conn)
		hangUp(conn)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		if s.sel.holds(found) {
			return false, nil
		}
	}
	return true, nil
}

// sourceName names the database by the identifier that initdb gave to its
// cluster, which standbys and copies on the level of files share. It is empty
// where the server does not tell: somebody has taken the right to ask from the
// role, or it is one that only speaks as PostgreSQL does.
func (s *Source) sourceName(ctx context.Context, conn *pgx.Conn) (string, error) {
	var id string
	err := conn.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		s.cfg.Debug("the server does not tell its system identifier: " + refused.Message)
		return "", nil
	}
	if err == nil {
		_, err = strconv.ParseUint(id, 10, 64)
	}
	if err != nil {
		return "", fmt.Errorf("ask for the system identifier: %w", err)
	}
	name := "postgres:" + id
	if !s.several() {
		name += "/" + strings.ReplaceAll(dump.PlainName(s.conn.Database), "%3A", ":") // which parts nothing here
	}
	return name, nil
}

// databaseNames lists the databases that a dump of all of them holds, in its order.
func databaseNames(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database WHERE `+dumpedDatabases)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// A finding is something that users made in a database: a schema, a relation or
// another object in one, of which one counts for all, or something outside of schemas.
type finding struct {
	What   string // schema, relation, rows, other; rows are relations with data of their own
	Schema string // empty: outside
	Name   string // of a relation
}

// lookInto lists what users made in the database, by the catalogues alone.
func lookInto(ctx context.Context, conn *pgx.Conn) ([]finding, error) {
	members := func(class, oid string) string {
		return fmt.Sprintf(`NOT EXISTS (SELECT FROM pg_depend WHERE classid = '%s'::regclass AND objid = %s AND deptype = 'e')`, class, oid)
	}
	var others strings.Builder
	for class, namespace := range map[string]string{
		"pg_proc": "pronamespace", "pg_type": "typnamespace", "pg_operator": "oprnamespace", "pg_opclass": "opcnamespace", "pg_opfamily": "opfnamespace",
		"pg_collation": "collnamespace", "pg_conversion": "connamespace", "pg_ts_parser": "prsnamespace", "pg_ts_dict": "dictnamespace",
		"pg_ts_template": "tmplnamespace", "pg_ts_config": "cfgnamespace", "pg_statistic_ext": "stxnamespace",
	} {
		own := "" // of types: those that do not come with a relation or another type
		if class == "pg_type" {
			own = " AND typelem = 0 AND (typrelid = 0 OR (SELECT relkind FROM pg_class r WHERE r.oid = typrelid) = 'c')"
		}
		fmt.Fprintf(&others, " UNION SELECT 'other', s.nspname::text, '' FROM %s x JOIN s ON s.oid = x.%s WHERE %s%s", class, namespace, members(class, "x.oid"), own)
	}
	for _, class := range []string{
		"pg_extension", "pg_language", "pg_cast", "pg_am", "pg_transform", "pg_foreign_data_wrapper", "pg_foreign_server",
		"pg_event_trigger", "pg_publication", "pg_default_acl",
	} {
		fmt.Fprintf(&others, " UNION SELECT 'other', '', '' FROM %s x WHERE x.oid >= %d AND %s", class, firstNormal, members(class, "x.oid"))
	}
	// Some of whose columns are for superusers alone.
	others.WriteString(" UNION SELECT 'other', '', '' FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
	rows, err := conn.Query(ctx, `
		WITH s AS (`+userSchemas+`)
		SELECT 'schema' AS what, nspname::text AS schema, '' AS name FROM s WHERE nspname <> 'public'
		UNION
		SELECT CASE WHEN relkind IN ('r', 'S') THEN 'rows' ELSE 'relation' END, s.nspname::text, relname::text FROM pg_class c JOIN s ON s.oid = relnamespace
		WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND relpersistence <> 't' AND `+members("pg_class", "c.oid")+`
		UNION
		SELECT 'rows', '', '' WHERE EXISTS (SELECT FROM pg_largeobject_metadata) OR EXISTS (SELECT FROM pg_extension WHERE extconfig IS NOT NULL)`+others.String()+`
		ORDER BY schema, name, what`)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[finding])
	if err != nil {
		return nil, fmt.Errorf("look for objects: %w", err)
	}
	return found, nil
}

// holds tells whether a dump of the selection holds something of what was found.
func (s *selection) holds(found []finding) bool {
	unused := map[*pattern]bool{}
	for _, f := range found {
		switch {
		case s.dataOnly && f.What != "rows":
		case f.Schema == "":
			if !s.including() && !(f.What == "rows" && s.schemaOnly) {
				return true
			}
		case s.notSchemas.match(unused, "", f.Schema):
		case len(s.schemas) > 0 && !s.schemas.match(unused, "", f.Schema):
		case f.What != "schema" && f.What != "other" && s.notTables.match(unused, f.Schema, f.Name):
		case len(s.tables) > 0 && (f.What == "schema" || f.What == "other" || !s.tables.match(unused, f.Schema, f.Name)):
		default:
			return true
		}
	}
	return false
}

// instead names what is there where nothing is to be dumped: the tables, or
// where the database has none the server's other databases.
func (s *Source) instead(found []finding, databases []string) []string {
	var list []string
	for _, f := range found {
		if f.Name != "" {
			list = append(list, f.Schema+"."+f.Name)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, d := range databases {
		if d != s.conn.Database && d != "template1" {
			list = append(list, d)
		}
	}
	return list
}

package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldest is the oldest server version that this package has been held against.
const oldest = 130000

// connConfig parses a libpq connection string, the environment filling in what
// it leaves out, and applies the overrides that are not empty.
func connConfig(conn, database, password string) (*pgx.ConnConfig, error) {
	cc, err := pgx.ParseConfig(conn)
	if err != nil {
		return nil, err
	}
	if database != "" {
		cc.Database = database
	}
	if password != "" {
		cc.Password = password
	}
	// libpq's rule: the database is named as the user where nothing names it.
	if cc.Database == "" {
		cc.Database = cc.User
	}
	// Each catalogue query runs once: a round trip to prepare it buys nothing,
	// and poolers in transaction mode refuse named statements.
	cc.DefaultQueryExecMode = pgx.QueryExecModeExec
	if _, set := cc.RuntimeParams["application_name"]; !set {
		cc.RuntimeParams["application_name"] = "breaking-backups"
	}
	return cc, nil
}

// hostName names a server for people: the host, or localhost for a socket folder.
func hostName(host string) string {
	if host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
		return "localhost"
	}
	return host
}

// server is what has to be known of a server before anything is read from it.
type server struct {
	version  int    // as server_version_num: 150018
	encoding string // of the database
	standby  bool   // it follows another, and has no unlogged rows
}

// major is the version as people say it: 15.
func (s server) major() int { return s.version / 10000 }

// connect opens a connection to database with cc's other settings.
func connect(ctx context.Context, cc *pgx.ConnConfig, database string) (*pgx.Conn, server, error) {
	cc = cc.Copy()
	cc.Database = database
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return nil, server{}, fmt.Errorf("connect: %w", err)
	}
	var srv server
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, getdatabaseencoding(), pg_is_in_recovery()`).Scan(&srv.version, &srv.encoding, &srv.standby)
	if err != nil {
		conn.Close(ctx)
		return nil, server{}, fmt.Errorf("connect: read the server's version: %w", err)
	}
	if srv.version < oldest {
		conn.Close(ctx)
		return nil, server{}, fmt.Errorf("connect: the server is PostgreSQL %d; %d or newer is needed", srv.major(), oldest/10000)
	}
	return conn, srv, nil
}

// sessionForReading makes what the server sends independent of anybody's
// defaults: the same settings as pg_dump's. The encoding is the database's own,
// so that no byte is converted on the way.
const sessionForReading = `
SELECT pg_catalog.set_config('search_path', '', false);
SELECT pg_catalog.set_config('client_encoding', pg_catalog.getdatabaseencoding(), false);
SET datestyle = ISO;
SET intervalstyle = postgres;
SET extra_float_digits = 3;
SET bytea_output = hex;
SET xmlbinary = base64;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET synchronize_seqscans = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET row_security = off;
SET jit = off;
`

// execAll runs statements that return nothing of interest, in one round trip.
func execAll(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}

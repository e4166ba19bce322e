// Package server is the way to a PostgreSQL server: connection strings and libpq's variables and
// files read into a connection, the session that is opened with it and the settings that it begins
// with, what there is to know of the server and of the role, what its errors mean and what gives a
// role the right that it lacks, and how names and texts are quoted for it.
//
// Every connection of the engine is opened by Connect, and the first that is said on it is that
// nothing is on its search path. What is asked of a server afterwards is up to the other rooms.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// oldest is the oldest server version that this package has been held against.
const oldest = 130000

// ParseConfig parses a libpq connection string, the environment filling in what it leaves out, and
// applies the overrides that are not empty. timeout is for where neither has a connect_timeout.
// warn is told, when a connection is first made, of a password file that is not used; nil: nobody
// is. An error may be a SettingErrors or a *SettingError.
func ParseConfig(conn, database, password string, timeout time.Duration, warn func(string)) (*pgx.ConnConfig, error) {
	settings, err := readConn(conn)
	if err != nil {
		return nil, err
	}
	p, err := readParameters(settings)
	if err != nil {
		return nil, err
	}
	nobodySays := p.get("host") == ""
	if nobodySays {
		settings["host"] = defaultHost()
	}
	if p.get("sslmode") == "disable" { // nobody asks for these files, which the driver would read
		for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
			settings[name] = ""
		}
	}
	cc, err := driverConfig(settings)
	if err != nil {
		return nil, err
	}
	cc.Database = cmp.Or(database, cc.Database, cc.User) // libpq's rule: the user's name where nothing names it
	boundTLS(cc, p)
	cc.ConnectTimeout = cmp.Or(cc.ConnectTimeout, timeout)
	// Not the driver's dialer, which asks whether the peer still lives every 5 minutes: Go's does
	// after 15 s.
	cc.DialFunc = new(net.Dialer).DialContext
	if nobodySays {
		cc.DialFunc = dialFound(cc.DialFunc)
	}
	if cc.Password = cmp.Or(password, cc.Password); cc.Password == "" {
		cc.Password, err = passwordOfFile(p, cc)
		if err != nil && warn != nil {
			tell, dial := sync.OnceFunc(func() { warn(err.Error()) }), cc.DialFunc
			cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				tell()
				return dial(ctx, network, address)
			}
		}
	}
	// Each catalogue query runs once: a round trip to prepare it buys nothing, and poolers in
	// transaction mode refuse named statements.
	cc.DefaultQueryExecMode = pgx.QueryExecModeExec
	if _, set := cc.RuntimeParams["application_name"]; !set {
		cc.RuntimeParams["application_name"] = "breaking-backups"
	}
	return cc, nil
}

// boundTLS lets cc encrypt with the versions of TLS that the parameters allow. Go's own least is
// libpq's, 1.2.
func boundTLS(cc *pgx.ConnConfig, p connParameters) {
	least, most := tlsVersion(p.get("ssl_min_protocol_version")), tlsVersion(p.get("ssl_max_protocol_version"))
	bound := func(config *tls.Config) {
		if config != nil {
			config.MinVersion, config.MaxVersion = cmp.Or(least, config.MinVersion), most
		}
	}
	bound(cc.TLSConfig)
	for _, f := range cc.Fallbacks {
		bound(f.TLSConfig)
	}
}

// HostName names a server for people: the host, or localhost for a socket folder.
func HostName(host string) string {
	if host == "" || strings.HasPrefix(host, "/") {
		return "localhost"
	}
	return host
}

// Info is what has to be known of a server, and of the role on it, before anything is read from it.
type Info struct {
	Version      int    // as server_version_num: 150018
	Encoding     string // of the database
	Standby      bool   // it follows another, and has no unlogged rows
	RoleName     string // quoted
	SeesMappings bool   // with their options

	Role uint32 // that the session is; 0: it is one that it can leave again (SET ROLE), with all that runs in it
}

// Major is the version as people say it: 15.
func (s Info) Major() int { return s.Version / 10000 }

// ToGrant says what lets the role see a catalogue.
func (s Info) ToGrant(catalogue string) string {
	return fmt.Sprintf("GRANT SELECT ON pg_catalog.%s TO %s", catalogue, s.RoleName)
}

// aboutServer asks for what is in a server, in the order of its fields.
const aboutServer = `SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.getdatabaseencoding(), pg_catalog.pg_is_in_recovery(),
	CASE WHEN current_user = session_user THEN r.oid ELSE 0 END, pg_catalog.quote_ident(r.rolname),
	pg_catalog.has_table_privilege('pg_catalog.pg_user_mapping', 'SELECT')
	FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`

// firstAnswer bounds the wait for the answer to what is said first in a session: as long as a
// pooler has clients wait for a server (PgBouncer's query_wait_timeout is 120 s), and a little
// more, so that it is the pooler who says so.
const firstAnswer = 130 * time.Second

// Connect opens a connection to database with cc's other settings. It is the only way to one: what
// has to be said first is said here. setUp returns what the session is set up with.
// cc.ConnectTimeout bounds each server's handshake.
func Connect(ctx context.Context, cc *pgx.ConnConfig, database string, setUp func(Info) string) (*pgx.Conn, Info, error) {
	cc = cc.Copy()
	cc.Database = database
	listen(cc)
	var srv Info
	// The driver asks questions of its own before anybody else can (target_session_attrs), with
	// names that are not qualified.
	validate, all := cc.ValidateConnect, ctx
	cc.ValidateConnect = func(_ context.Context, conn *pgconn.PgConn) error {
		// The handshake is over, and its time with it.
		ctx, cancel := context.WithTimeoutCause(all, firstAnswer, fmt.Errorf("%w, which is %s", dump.ErrNoAnswer, firstAnswer))
		defer cancel()
		results, err := conn.Exec(ctx, ClearPath+"; "+ownRole+"; "+aboutServer).ReadAll()
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("read the server's version: %w", err)
		}
		if srv, err = readServer(results[2]); err != nil {
			return fmt.Errorf("read the server's version: %w", err)
		}
		if validate != nil {
			return validate(ctx, conn)
		}
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	var setting *SettingError
	switch {
	case ctx.Err() != nil:
		return nil, Info{}, fmt.Errorf("connect: %w", context.Cause(ctx))
	case errors.As(err, &setting): // whatever the driver was about to connect to
		return nil, Info{}, fmt.Errorf("connect: %w", setting)
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, dump.ErrNoAnswer) && cc.ConnectTimeout > 0:
		return nil, Info{}, fmt.Errorf("connect: %w, which is %s: %w", dump.ErrNoAnswer, cc.ConnectTimeout, err)
	case err != nil:
		return nil, Info{}, fmt.Errorf("connect: %w", err)
	}
	if srv.Version < oldest {
		HangUp(conn)
		return nil, Info{}, fmt.Errorf("connect: the server is PostgreSQL %d; %d or newer is needed", srv.Major(), oldest/10000)
	}
	if err := Exec(ctx, conn.PgConn(), setUp(srv)); err != nil {
		HangUp(conn)
		return nil, Info{}, fmt.Errorf("connect: set up the session: %w", err)
	}
	return conn, srv, nil
}

func readServer(result *pgconn.Result) (srv Info, err error) {
	if len(result.Rows) != 1 || len(result.Rows[0]) != 6 {
		return srv, errors.New("the server's answer is not what was asked for")
	}
	row := result.Rows[0]
	if srv.Version, err = strconv.Atoi(string(row[0])); err != nil {
		return srv, err
	}
	role, err := strconv.ParseUint(string(row[3]), 10, 32)
	srv.Encoding, srv.Standby, srv.Role = string(row[1]), string(row[2]) == "t", uint32(role)
	srv.RoleName, srv.SeesMappings = string(row[4]), string(row[5]) == "t"
	return srv, err
}

// Exec runs statements that return nothing of interest, in one round trip.
func Exec(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	return Ended(conn, err)
}

// partingTime bounds what is said to a server in parting: its network may be frozen, and a person
// or a container's runtime waits for the program to end.
const partingTime = 3 * time.Second

// HangUp ends a session, whatever it is doing; on the server too, as long as that can be reached.
// What the driver is still at after partingTime (it would give itself 15 s to cancel a statement)
// ends by itself.
func HangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), partingTime)
	defer cancel()
	_ = conn.Close(ctx)
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
		_ = conn.PgConn().Conn().Close()
	}
}

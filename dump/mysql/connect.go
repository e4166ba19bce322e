package mysql

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Server says how to reach a server and who one is there.
type Server struct {
	Host     string // "" means localhost
	Port     int    // 0 means 3306
	Socket   string // the path of a Unix socket, in place of host and port
	User     string // "" means root
	Password string
	TLS      TLS
	// PublicKey is a file with the server's public key, PEM, under which a password may leave on a connection that is
	// not encrypted. "" means that it does not, but on this machine.
	PublicKey string

	// ConnectTimeout bounds the handshake, from dialling to the server's word that one is let in. 0 means no bound.
	ConnectTimeout time.Duration
}

// TLS says how a connection is encrypted. A Unix socket is not.
type TLS struct {
	Mode TLSMode // "" means TLSPreferred, or TLSVerifyFull where CA is set
	CA   string  // a file of certificates to trust, PEM; "" means the system's
	Cert string  // a file with the client's certificate, PEM
	Key  string  // a file with its key, PEM
}

// A TLSMode says what is asked of a connection.
type TLSMode string

// The modes, after those of the mysql client.
const (
	TLSDisabled   TLSMode = "disabled"    // never encrypted
	TLSPreferred  TLSMode = "preferred"   // encrypted where the server can
	TLSRequired   TLSMode = "required"    // encrypted, by whomever
	TLSVerifyCA   TLSMode = "verify-ca"   // by a server with a certificate that is trusted
	TLSVerifyFull TLSMode = "verify-full" // and that is made out to the host
)

// host names the server for people.
func (s Server) host() string {
	if s.Socket != "" || s.Host == "" {
		return "localhost"
	}
	return s.Host
}

// address is the server's, for people.
func (s Server) address() string {
	if s.Socket != "" {
		return s.host()
	}
	return net.JoinHostPort(s.host(), strconv.Itoa(cmp.Or(s.Port, 3306)))
}

// connConfig is the driver's form of the settings.
func (s Server) connConfig() (*mysql.Config, error) {
	cc := mysql.NewConfig()
	cc.User, cc.Passwd = s.User, s.Password
	if cc.User == "" {
		cc.User = "root"
	}
	if s.Port < 0 || s.Port > 65535 {
		return nil, fmt.Errorf("port %d: 1 to 65535 expected", s.Port)
	}
	port := s.Port
	if port == 0 {
		port = 3306
	}
	cc.Net, cc.Addr = "tcp", net.JoinHostPort(s.host(), strconv.Itoa(port))
	cc.Timeout = s.ConnectTimeout
	// The driver would ask the server for its own, and get no answer where sql_select_limit is 0.
	cc.MaxAllowedPacket = 1 << 30
	cc.Params = map[string]string{"sql_select_limit": "18446744073709551615"}
	cc.ConnectionAttributes = "program_name:breaking-backups"
	if s.PublicKey != "" {
		if err := pin(cc, s.PublicKey); err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
	}
	if s.Socket != "" {
		cc.Net, cc.Addr = "unix", s.Socket
		return cc, nil
	}
	return cc, s.TLS.apply(cc, s.host())
}

// apply sets what of cc concerns TLS.
func (t TLS) apply(cc *mysql.Config, host string) error {
	mode := t.Mode
	if mode == "" {
		mode = TLSPreferred
		if t.CA != "" {
			mode = TLSVerifyFull
		}
	}
	if mode == TLSDisabled {
		return nil
	}
	// Servers make themselves a certificate that nobody signed; who does not
	// name a CA gets encryption, as from the mysql client, and no more.
	cc.TLS = &tls.Config{ServerName: host, InsecureSkipVerify: true}
	if (t.Cert == "") != (t.Key == "") {
		return errors.New("TLS: a client's certificate and its key go together")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		cc.TLS.Certificates = []tls.Certificate{pair}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		cc.TLS.RootCAs = x509.NewCertPool()
		if !cc.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("TLS: %s holds no certificate", t.CA)
		}
	}
	switch mode {
	case TLSPreferred:
		cc.AllowFallbackToPlaintext = true
	case TLSRequired:
	case TLSVerifyCA:
		cc.TLS.VerifyConnection = verifyChain(cc.TLS)
	case TLSVerifyFull:
		cc.TLS.InsecureSkipVerify = false
	default:
		return fmt.Errorf("TLS mode %q: disabled, preferred, required, verify-ca or verify-full expected", mode)
	}
	return nil
}

// verifyChain checks that the server's certificate is trusted, whomever it is made out to.
func verifyChain(c *tls.Config) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(opts)
		return err
	}
}

// A family is one of the two servers that have grown apart.
type family string

const (
	familyMySQL   family = "MySQL"
	familyMariaDB family = "MariaDB"
)

// oldest are the oldest versions that this package has been held against.
var oldest = map[family]version{familyMySQL: {8, 0, 0}, familyMariaDB: {10, 6, 0}}

// A version is a server's: major, minor, patch.
type version [3]int

func (v version) less(w version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

// String is the version as people say it: 10.11.
func (v version) String() string { return fmt.Sprintf("%d.%d", v[0], v[1]) }

// server is what has to be known of a server before anything is read from it.
type server struct {
	family  family
	version version
	folds   bool // names of databases and tables that differ only in case are one (lower_case_table_names)
}

func (s server) mariadb() bool { return s.family == familyMariaDB }

// atLeast tells whether the server is of the family, and of this version or newer.
func (s server) atLeast(f family, v version) bool {
	return s.family == f && !s.version.less(v)
}

// parseVersion reads what SELECT VERSION() says: 8.0.36-28, 10.11.6-MariaDB-log.
func parseVersion(s string) (server, error) {
	srv := server{family: familyMySQL}
	if strings.Contains(strings.ToLower(s), "mariadb") {
		srv.family = familyMariaDB
	}
	digits := s
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		digits = s[:i]
	}
	parts := strings.Split(digits, ".")
	if len(parts) < 2 {
		return srv, fmt.Errorf("the server's version %q is not understood", s)
	}
	for i := range min(len(parts), len(srv.version)) {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return srv, fmt.Errorf("the server's version %q is not understood", s)
		}
		srv.version[i] = n
	}
	return srv, nil
}

// A conn is one session with a server.
type conn struct {
	server
	db   *sql.DB
	sql  *sql.Conn
	last *lastWords

	watched *watchedConn // nil: it is to this machine
	answer  *answeringConn
}

// lastWords keeps what the driver logs of a connection that broke: its error
// says only that it did.
type lastWords struct {
	sync.Mutex
	text string
}

func (l *lastWords) Print(v ...any) {
	l.Lock()
	defer l.Unlock()
	l.text = strings.TrimSpace(fmt.Sprintln(v...))
}

func (l *lastWords) take() string {
	l.Lock()
	defer l.Unlock()
	text := l.text
	l.text = ""
	return text
}

// firstAnswer bounds the wait for the answer to what is asked first in a session. A proxy may have clients wait for a
// server; others answer it themselves.
const firstAnswer = 2 * time.Minute

// connect opens a connection and asks who is there. cc.Timeout bounds the whole handshake; the driver itself takes it as
// the time to dial.
func connect(ctx context.Context, cc *mysql.Config) (*conn, error) {
	cc = cc.Clone()
	c := &conn{last: &lastWords{}}
	cc.Logger = c.last
	watched, answering := watch(cc), bound(cc, largestPacket)
	connector, err := mysql.NewConnector(cc)
	if err != nil {
		return nil, err
	}
	c.db = sql.OpenDB(connector)
	shaking, cancel := within(ctx, cc.Timeout)
	c.sql, err = c.db.Conn(shaking)
	if err != nil {
		err = c.explain(shaking, err)
	}
	c.answer = answering()
	if c.watched = watched(); c.watched != nil && c.watched.refused != nil {
		err = c.watched.refused
	}
	cancel()
	if err != nil {
		c.db.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	asking, cancel := within(ctx, firstAnswer)
	defer cancel()
	var text string
	var folds bool
	if err := c.row(asking, "SELECT VERSION(), @@lower_case_table_names <> 0", &text, &folds); err != nil {
		c.close()
		return nil, fmt.Errorf("connect: read the server's version: %w", err)
	}
	srv, err := parseVersion(text)
	srv.folds = folds
	c.server = srv
	if err == nil && srv.version.less(oldest[srv.family]) {
		err = fmt.Errorf("the server is %s %s; %s or newer is needed", srv.family, srv.version, oldest[srv.family])
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// within bounds what a server may take for an answer. 0 means no bound.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%w, which is %s", dump.ErrNoAnswer, d))
}

// close ends the session. What the server thinks of it is of no interest.
func (c *conn) close() {
	c.sql.Close()
	c.db.Close()
}

// explain puts a cause in the place of the driver's word that a connection broke.
func (c *conn) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		if why := c.last.take(); why != "" {
			return fmt.Errorf("the connection to the server was lost: %s", why)
		}
		return fmt.Errorf("the connection to the server was lost: %w", err)
	}
	return err
}

// exec runs a statement that returns nothing of interest.
func (c *conn) exec(ctx context.Context, query string) error {
	_, err := c.sql.ExecContext(ctx, query)
	return c.explain(ctx, err)
}

// row reads the one row of a query.
func (c *conn) row(ctx context.Context, query string, into ...any) error {
	return c.explain(ctx, c.sql.QueryRowContext(ctx, query).Scan(into...))
}

// change runs a statement and tells how many rows it has changed.
func (c *conn) change(ctx context.Context, query string) (rows int64, err error) {
	result, err := c.sql.ExecContext(ctx, query)
	if err != nil {
		return 0, c.explain(ctx, err)
	}
	return result.RowsAffected()
}

// raw hands the driver's own connection to use, which may not keep it.
func (c *conn) raw(use func(driverConn) error) error {
	return c.sql.Raw(func(raw any) error { return use(raw.(driverConn)) })
}

// driverConn is the driver's connection, as far as it is used here: its rows are not copied.
type driverConn interface {
	driver.QueryerContext
	driver.ExecerContext
}

// nextRow is called before each row that the driver's own connection is asked for: what it may be long is counted anew.
func (c *conn) nextRow() { c.answer.begin() }

// A record is a row of a query, by the names of its columns in lower case: what
// is NULL is not in it. SHOW statements differ in what columns they have, and
// the two families in how they write them.
type record map[string]string

// has tells whether the column is there and is not NULL.
func (r record) has(name string) bool {
	_, ok := r[name]
	return ok
}

// list reads the rows of a query.
func (c *conn) list(ctx context.Context, query string) ([]record, error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for i, n := range names {
		names[i] = strings.ToLower(n)
	}
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	var list []record
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, c.explain(ctx, err)
		}
		r := make(record, len(names))
		for i, v := range values {
			if v.Valid {
				r[names[i]] = v.String
			}
		}
		list = append(list, r)
	}
	return list, c.explain(ctx, rows.Err())
}

// firsts reads the first column of a query, whatever its name.
func (c *conn) firsts(ctx context.Context, query string) ([]string, error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return nil, c.explain(ctx, err)
		}
		list = append(list, text.String)
	}
	return list, c.explain(ctx, rows.Err())
}

// ErrorNumber returns the number of the server's error that err wraps, or 0.
func ErrorNumber(err error) uint16 {
	var me *mysql.MySQLError
	switch {
	case errors.As(err, &me):
		return me.Number
	case errors.Is(err, mysql.ErrPktTooLarge):
		return errPacketTooLarge
	}
	return 0
}

// isError tells whether the server answered with one of the error numbers.
func isError(err error, numbers ...uint16) bool { return slices.Contains(numbers, ErrorNumber(err)) }

package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgservicefile"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The driver reads libpq's variables itself. Of those that it does not know it says nothing, though
// one may be what was to encrypt the connection; of those whose value it cannot read it says what
// libpq calls the parameter, or no more than that a connection string is wrong. So all are looked
// at here first.

// Variables are libpq's variables by the parameter of a connection string that says the same.
var Variables = map[string]string{
	"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE", "passfile": "PGPASSFILE",
	"service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "options": "PGOPTIONS", "application_name": "PGAPPNAME", "connect_timeout": "PGCONNECT_TIMEOUT",
	"client_encoding": "PGCLIENTENCODING", "target_session_attrs": "PGTARGETSESSIONATTRS", "load_balance_hosts": "PGLOADBALANCEHOSTS",
	"sslmode": "PGSSLMODE", "requiressl": "PGREQUIRESSL", "sslnegotiation": "PGSSLNEGOTIATION", "sslcompression": "PGSSLCOMPRESSION", "sslkey": "PGSSLKEY",
	"sslcert": "PGSSLCERT", "sslcertmode": "PGSSLCERTMODE", "sslpassword": "PGSSLPASSWORD", "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL",
	"sslcrldir": "PGSSLCRLDIR", "sslsni": "PGSSLSNI", "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION", "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
	"min_protocol_version": "PGMINPROTOCOLVERSION", "max_protocol_version": "PGMAXPROTOCOLVERSION", "channel_binding": "PGCHANNELBINDING",
	"require_auth": "PGREQUIREAUTH", "requirepeer": "PGREQUIREPEER", "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "gsslib": "PGGSSLIB",
	"gssdelegation": "PGGSSDELEGATION",
}

// A SettingError is what is wrong with one of libpq's settings.
type SettingError struct {
	Variable string // that says it, or would: a connection string may say it as well
	Err      error
}

func (e *SettingError) Error() string { return e.Variable + ": " + e.Err.Error() }
func (e *SettingError) Unwrap() error { return e.Err }

// SettingErrors are all that are wrong, in the order of their names.
type SettingErrors []*SettingError

func (all SettingErrors) Error() string {
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// choices are the values of the parameters that have few, as libpq knows them.
var choices = map[string][]string{
	"sslmode":              {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
	"sslcertmode":          {"disable", "allow", "require"},
	"sslnegotiation":       {"postgres", "direct"},
	"sslsni":               {"0", "1"},
	"target_session_attrs": {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"},
	"load_balance_hosts":   {"disable", "random"},
	"channel_binding":      {"disable", "prefer", "require"},
	"gssencmode":           {"disable", "prefer", "require"},
	"min_protocol_version": {"3.0", "3.2", "latest"},
	"max_protocol_version": {"3.0", "3.2", "latest"},

	"ssl_min_protocol_version": {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"},
	"ssl_max_protocol_version": {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"},
}

// tlsVersion is Go's number for libpq's word, which alone among choices it takes in any case; 0: it
// is none.
func tlsVersion(word string) uint16 {
	switch strings.ToLower(word) {
	case "tlsv1":
		return tls.VersionTLS10
	case "tlsv1.1":
		return tls.VersionTLS11
	case "tlsv1.2":
		return tls.VersionTLS12
	case "tlsv1.3":
		return tls.VersionTLS13
	}
	return 0
}

var authMethods = []string{"password", "md5", "gss", "sspi", "scram-sha-256", "oauth", "none"}

// checkValue tells what is wrong with the value that a variable or a service gives to a parameter.
func checkValue(name, value string) error {
	if name == "host" {
		for host := range strings.SplitSeq(value, ",") {
			if err := dump.CheckHost(host, "PGPORT"); err != nil {
				return err
			}
		}
	}
	if want := wanted(name, value); want != "" {
		return fmt.Errorf("%s, got %q", want, value)
	}
	return unsupported(name, value)
}

// wanted is what a parameter takes, if value, which is not empty, is none of that; else it is
// empty. It repeats nothing of value. What is neither read here nor of any consequence may be
// anything.
func wanted(name, value string) string {
	if of := choices[name]; of != nil && !slices.Contains(of, value) && !(slices.Contains(ours, name) && tlsVersion(value) != 0) {
		return "want " + strings.Join(of[:len(of)-1], ", ") + " or " + of[len(of)-1]
	}
	switch name {
	case "host":
		for host := range strings.SplitSeq(value, ",") {
			if dump.CheckHost(host, "PGPORT") != nil {
				return "want a host's name or address alone, its port apart"
			}
		}
	case "port":
		for port := range strings.SplitSeq(value, ",") {
			if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
				return "want a number from 1 to 65535"
			}
		}
	case "connect_timeout":
		if _, err := strconv.ParseUint(value, 10, 31); err != nil {
			return "want a whole number of seconds, 0 or more"
		}
	case "require_auth":
		for method := range strings.SplitSeq(value, ",") {
			if !slices.Contains(authMethods, strings.TrimPrefix(strings.TrimSpace(method), "!")) {
				return "want methods out of " + strings.Join(authMethods, ", ") + ", or each with ! before it"
			}
		}
	}
	return ""
}

// unsupported tells that a parameter would change the connection in a way in which this program
// does not: to pass over it would be to connect with less than was asked for, or to somewhere else.
// It is nil where the value asks for nothing.
func unsupported(name, value string) error {
	const none = "not supported by this program; want it unset"
	switch name {
	case "gssencmode":
		if value == "require" {
			return errors.New("encryption by GSSAPI is " + none + ", and the connection encrypted by PGSSLMODE=require or verify-full")
		}
	case "requiressl":
		if strings.HasPrefix(value, "1") {
			return errors.New("of old, and " + none + "; what it says is PGSSLMODE=require")
		}
	case "sslcrl", "sslcrldir":
		return errors.New("lists of revoked certificates are " + none)
	case "requirepeer":
		return errors.New("to look at who runs the server is " + none)
	case "hostaddr":
		return errors.New(none + ", and the server's address in PGHOST")
	}
	if slices.Contains(others, name) {
		return errors.New(none)
	}
	return nil
}

// connParameters are those of one connection, put together as by libpq: a connection string goes
// before a service, and that before the environment.
type connParameters struct {
	conn    map[string]string
	service map[string]string // nil: there is none
}

// get is a parameter's value; empty: nothing says it.
func (p connParameters) get(name string) string {
	if value, ok := p.conn[name]; ok {
		return value
	}
	return cmp.Or(p.service[name], os.Getenv(Variables[name]))
}

// passesOver reports whether libpq does not look at a parameter, for what others say.
func (p connParameters) passesOver(name string) bool {
	sockets, networks := p.ways()
	switch name {
	case "requiressl":
		return p.get("sslmode") != ""
	case "requirepeer": // it asks the system who is at a socket's other end
		return !sockets
	case "sslcrl", "sslcrldir":
		return !networks || p.get("sslmode") == "disable"
	}
	return false
}

// ways are those that lead to the hosts.
func (p connParameters) ways() (sockets, networks bool) {
	for host := range strings.SplitSeq(cmp.Or(p.get("host"), defaultHost()), ",") {
		if network, _ := pgconn.NetworkAddress(cmp.Or(host, defaultHost()), 5432); network == "unix" {
			sockets = true
		} else {
			networks = true
		}
	}
	return sockets, networks
}

// readParameters reads the service and looks at every parameter. The error is a SettingErrors, in
// the order of the variables.
func readParameters(conn map[string]string) (connParameters, error) {
	p := connParameters{conn: conn}
	var wrong SettingErrors
	service, err := readService(p)
	if err != nil {
		wrong = append(wrong, &SettingError{"PGSERVICE", err})
	}
	p.service = service
	for _, name := range slices.Sorted(maps.Keys(p.service)) {
		if value := p.service[name]; value != "" && p.conn[name] == "" && !p.passesOver(name) {
			if err := checkValue(name, value); err != nil {
				wrong = append(wrong, &SettingError{"PGSERVICE", fmt.Errorf("%s: %w", name, err)})
			}
		}
	}
	for name, variable := range Variables {
		value := p.get(name)
		if value == "" || p.conn[name] == "" && p.service[name] != "" { // told above
			continue
		}
		if p.passesOver(name) {
			continue
		}
		if err := checkValue(name, value); err != nil {
			wrong = append(wrong, &SettingError{variable, err})
		}
	}
	if low, high := tlsVersion(p.get("ssl_min_protocol_version")), tlsVersion(p.get("ssl_max_protocol_version")); high != 0 && low > high {
		wrong = append(wrong, &SettingError{"PGSSLMINPROTOCOLVERSION", errors.New("newer than PGSSLMAXPROTOCOLVERSION")})
	}
	if err := p.checkDefaultCRL(); err != nil {
		wrong = append(wrong, &SettingError{"PGSSLCRL", err})
	}
	if len(wrong) == 0 {
		return p, nil
	}
	slices.SortStableFunc(wrong, func(a, b *SettingError) int { return cmp.Compare(a.Variable, b.Variable) })
	return p, wrong
}

// checkDefaultCRL tells of a list of revoked certificates that libpq would take without being told
// to.
func (p connParameters) checkDefaultCRL() error {
	file, err := defaultFile("root.crl")
	if err != nil || !isThere(file) || !strings.HasPrefix(p.get("sslmode"), "verify-") || p.passesOver("sslcrl") || p.get("sslcrl")+p.get("sslcrldir") != "" {
		return nil
	}
	return fmt.Errorf("the default file %s is there, and %w", file, unsupported("sslcrl", file))
}

// readService is what the service says that is named, or nil.
func readService(p connParameters) (map[string]string, error) {
	name := p.get("service")
	if name == "" {
		return nil, nil
	}
	path := p.get("servicefile")
	if path == "" {
		var err error
		if path, err = defaultFile(".pg_service.conf"); err != nil {
			return nil, err
		}
	}
	file, err := pgservicefile.ReadServicefile(path)
	if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			return nil, fmt.Errorf("the file of services, %s (PGSERVICEFILE): %w", path, why.Err)
		}
		return nil, fmt.Errorf("the file of services, %s (PGSERVICEFILE): %w", path, err)
	}
	service, err := file.GetService(name)
	if err != nil {
		return nil, fmt.Errorf("there is no service %q in %s (PGSERVICEFILE)", name, path)
	}
	return service.Settings, nil
}

// defaultFile is where libpq looks for one of its files, by its name elsewhere than on Windows,
// where nobody says.
func defaultFile(name string) (string, error) {
	home := os.UserHomeDir
	if runtime.GOOS == "windows" {
		home = os.UserConfigDir // %AppData%
	}
	folder, err := home()
	return defaultPath(runtime.GOOS, folder, name), err
}

func defaultPath(goos, home, name string) string {
	switch {
	case goos == "windows" && name == ".pgpass":
		return filepath.Join(home, "postgresql", "pgpass.conf")
	case goos == "windows":
		return filepath.Join(home, "postgresql", name)
	case strings.HasPrefix(name, "."):
		return filepath.Join(home, name)
	}
	return filepath.Join(home, ".postgresql", name)
}

// socketFolders are where servers make their sockets by themselves: Debian, Homebrew, PostgreSQL's
// own.
var socketFolders = []string{"/var/run/postgresql", "/private/tmp", "/tmp"}

// defaultHost is where a server is looked for that nobody names: libpq takes the folder that it was
// built with.
func defaultHost() string {
	if runtime.GOOS == "windows" { // libpq goes to localhost there
		return "localhost"
	}
	return socketFolders[0]
}

// dialFound is dial, but that a socket in the first of socketFolders may be in any of them. It is
// looked for each time: a server may be starting, and nobody needs one to list what there is of it.
func dialFound(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		folder, name := filepath.Split(address)
		if network != "unix" || filepath.Clean(folder) != socketFolders[0] {
			return dial(ctx, network, address)
		}
		for _, folder := range socketFolders {
			if path := filepath.Join(folder, name); isThere(path) {
				return dial(ctx, network, path)
			}
		}
		return nil, &SettingError{"PGHOST", fmt.Errorf("not set, and there is no socket of a server here (%s); want the server's host, or the folder of its socket", address)}
	}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The driver's errors repeat the connection string, without what it takes for the password, which
// in one that is written wrongly need not be all of it. So connection strings are read here, by
// libpq's rules, and the driver gets what was read, without the password.

// passedOn are libpq's parameters that the driver knows too; ours are those that this package sees
// to itself; passedOver change nothing that a dump is about, as long as they do not ask for what is
// unsupported; and others are unsupported.
var (
	passedOn = []string{
		"host", "port", "dbname", "user", "password", "passfile", "connect_timeout", "sslmode", "sslkey", "sslcert", "sslcertmode",
		"sslrootcert", "sslnegotiation", "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs", "service", "servicefile",
		"min_protocol_version", "max_protocol_version", "channel_binding", "require_auth", "application_name", "client_encoding", "options",
	}
	ours       = []string{"ssl_min_protocol_version", "ssl_max_protocol_version"}
	passedOver = []string{
		"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "gsslib", "gssdelegation",
		"sslcompression", "load_balance_hosts", "fallback_application_name", "requiressl",
	}
	others = []string{
		"hostaddr", "requirepeer", "replication", "sslcrl", "sslcrldir", "scram_client_key", "scram_server_key", "sslkeylogfile",
		"oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope",
	}
)

func isParameter(name string) bool {
	return slices.Contains(passedOn, name) || slices.Contains(ours, name) || slices.Contains(passedOver, name) || slices.Contains(others, name)
}

// IsConn reports whether a database's name is a connection string to libpq: a URI, or
// keyword=value.
func IsConn(name string) bool { return isURI(name) || strings.Contains(name, "=") }

func isURI(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// ParseConn reads a connection string, as libpq takes it, into its parameters. A parameter that
// libpq does not know is passed over if unknown is not nil, which is told the character at which it
// stands; else it is an error, as with libpq. Errors are *dump.AddressError.
func ParseConn(text string, unknown func(at int)) (map[string]string, error) {
	options, err := parseOptions(text)
	if err != nil {
		return nil, err
	}
	for _, o := range options {
		if o.Value == "" {
			continue
		}
		if want := wanted(o.Name, o.Value); want != "" {
			return nil, dump.AddressMistake(text, o.At, o.Name+": "+want)
		}
	}
	return takeOptions(text, options, unknown)
}

// readConn is ParseConn, but for the parameters' values, which are looked at with those that the
// environment gives.
func readConn(text string) (map[string]string, error) {
	options, err := parseOptions(text)
	if err != nil {
		return nil, err
	}
	return takeOptions(text, options, nil)
}

// takeOptions is what of a connection string's parameters says something to us, or why they cannot
// be taken.
func takeOptions(text string, options []dump.AddressOption, unknown func(at int)) (map[string]string, error) {
	settings := map[string]string{}
	for _, o := range options {
		switch {
		case slices.Contains(passedOver, o.Name) && unsupported(o.Name, o.Value) != nil:
			return nil, dump.AddressMistake(text, o.At, o.Name+": "+unsupported(o.Name, o.Value).Error())
		case slices.Contains(passedOn, o.Name), slices.Contains(ours, o.Name):
			settings[o.Name] = o.Value
		case slices.Contains(passedOver, o.Name):
		case slices.Contains(others, o.Name):
			return nil, dump.AddressMistake(text, o.At, "the parameter "+o.Name+" is not supported")
		case isURI(text) && o.Name == "ssl" && o.Value == "true": // of JDBC's, which libpq takes
			settings["sslmode"] = "require"
		default:
			wrong := dump.AddressMistake(text, o.At, "a parameter that libpq does not know")
			// One that is about encryption must not be passed over.
			if unknown == nil || strings.HasPrefix(o.Name, "ssl") {
				return nil, wrong
			}
			unknown(wrong.At)
		}
	}
	return settings, nil
}

// parseOptions reads a connection string into its parameters as they stand there.
func parseOptions(text string) ([]dump.AddressOption, error) {
	if isURI(text) {
		return parseURI(text)
	}
	return parseKeywords(text)
}

func parseURI(text string) ([]dump.AddressOption, error) {
	if i := strings.IndexByte(text, ' '); i >= 0 {
		return nil, dump.AddressMistake(text, i, "a blank: write %20")
	}
	a, err := dump.ParseAddress(text, isParameter)
	if err != nil {
		return nil, err
	}
	var options []dump.AddressOption
	add := func(name, value string) {
		if value != "" {
			options = append(options, dump.AddressOption{Name: name, Value: value})
		}
	}
	var hosts, ports []string
	for _, h := range a.Hosts {
		hosts, ports = append(hosts, h.Host), append(ports, h.Port)
	}
	add("host", strings.Join(hosts, ","))
	if strings.Join(ports, "") != "" {
		add("port", strings.Join(ports, ","))
	}
	add("user", a.User)
	add("password", a.Password)
	add("dbname", a.Database)
	return append(options, a.Options...), nil
}

// parseKeywords reads keyword = value pairs, of which a value may be 'quoted'.
func parseKeywords(text string) ([]dump.AddressOption, error) {
	const blank = " \t\n\r\v\f"
	if i := strings.IndexByte(text, 0); i >= 0 {
		return nil, dump.AddressMistake(text, i, "a zero byte")
	}
	var options []dump.AddressOption
	skip := func(i int) int { return len(text) - len(strings.TrimLeft(text[i:], blank)) }
	for i := skip(0); i < len(text); i = skip(i) {
		o := dump.AddressOption{At: i}
		end := strings.IndexAny(text[i:], blank+"=")
		if end <= 0 {
			return nil, dump.AddressMistake(text, i, "want keyword=value; a value with blanks in it stands in '…'")
		}
		o.Name = text[i : i+end]
		if i = skip(i + end); i == len(text) || text[i] != '=' {
			return nil, dump.AddressMistake(text, o.At, "want keyword=value; a value with blanks in it stands in '…'")
		}
		i = skip(i + 1)
		opening := i
		quoted := i < len(text) && text[i] == '\''
		if quoted {
			i++
		}
		var value strings.Builder
		for ; i < len(text); i++ {
			if quoted && text[i] == '\'' || !quoted && strings.IndexByte(blank, text[i]) >= 0 {
				break
			}
			if text[i] == '\\' {
				if i++; i == len(text) {
					break
				}
			}
			value.WriteByte(text[i])
		}
		if quoted {
			if i == len(text) {
				return nil, dump.AddressMistake(text, opening, `a ' without its end; within '…' write \' for ' and \\ for \`)
			}
			i++
		}
		o.Value = value.String()
		options = append(options, o)
	}
	return options, nil
}

// FormatConn is the connection string of keywords and values that ParseConn reads as settings.
func FormatConn(settings map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		words = append(words, name+"='"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(settings[name])+"'")
	}
	return strings.Join(words, " ")
}

// driverConfig is the driver's form of the parameters, the environment and the service filling in
// what they leave out. It is given no password, which its errors might repeat, and reads no file of
// them.
func driverConfig(settings map[string]string) (*pgx.ConnConfig, error) {
	settings = maps.Clone(settings)
	password := settings["password"]
	delete(settings, "password")
	if settings["sslpassword"] == "" {
		delete(settings, "sslpassword")
	}
	settings["passfile"] = ""
	if value, set := os.LookupEnv("PGSSLCERTMODE"); set && value == "" && settings["sslcertmode"] == "" { // to us as if it were not set
		settings["sslcertmode"] = "allow"
	}
	for _, name := range ours {
		delete(settings, name)
	}
	plain := FormatConn(settings)
	cc, err := pgx.ParseConfig(plain)
	if err != nil {
		return nil, withoutConn(plain, err)
	}
	if password != "" {
		cc.Password = password
	}
	// What a service says of these the driver takes for settings of the session, which no server
	// knows.
	for _, name := range slices.Concat(ours, passedOver, others) {
		delete(cc.RuntimeParams, name)
	}
	return cc, nil
}

// withoutConn is an error of the driver's about a connection string without that string, which its
// text begins with. Where it is about a file it is told by the variable that names one.
func withoutConn(conn string, err error) error {
	var file *fs.PathError
	if errors.As(err, &file) {
		for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
			if os.Getenv(Variables[name]) == file.Path || strings.Contains(conn, FormatConn(map[string]string{name: file.Path})) {
				return &SettingError{Variables[name], fmt.Errorf("want the path of a file: %w", file.Err)}
			}
		}
	}
	text := strings.TrimPrefix(err.Error(), pgconn.NewParseConfigError(conn, "", nil).Error())
	if strings.Contains(text, "cannot parse `") {
		return errors.New("the connection string cannot be read")
	}
	return fmt.Errorf("%s", text)
}

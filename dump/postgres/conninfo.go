package postgres

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The driver's errors repeat the connection string, without what it takes for the password, which in one that is
// written wrongly need not be all of it. So connection strings are read here, by libpq's rules, and the driver gets
// what was read, without the password.

// passedOn are libpq's parameters that the driver knows too; the others are passedOver, as they change nothing that
// a dump is about, or unsupported.
var (
	passedOn = []string{
		"host", "port", "dbname", "user", "password", "passfile", "connect_timeout", "sslmode", "sslkey", "sslcert", "sslcertmode",
		"sslrootcert", "sslnegotiation", "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs", "service", "servicefile",
		"min_protocol_version", "max_protocol_version", "channel_binding", "require_auth", "application_name", "client_encoding", "options",
	}
	passedOver = []string{
		"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "gsslib", "gssdelegation",
		"sslcompression", "load_balance_hosts", "fallback_application_name",
	}
	unsupported = []string{
		"hostaddr", "requirepeer", "requiressl", "replication", "sslcrl", "sslcrldir", "ssl_min_protocol_version", "ssl_max_protocol_version",
		"scram_client_key", "scram_server_key", "sslkeylogfile", "oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope",
	}
)

func isParameter(name string) bool {
	return slices.Contains(passedOn, name) || slices.Contains(passedOver, name) || slices.Contains(unsupported, name)
}

// IsConn reports whether a database's name is a connection string to libpq: a URI, or keyword=value.
func IsConn(name string) bool { return isURI(name) || strings.Contains(name, "=") }

func isURI(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// ParseConn reads a connection string, as libpq takes it, into its parameters. A parameter that libpq does not know is
// passed over if unknown is not nil, which is told the character at which it stands; else it is an error, as with libpq.
// Errors are *dump.AddressError.
func ParseConn(text string, unknown func(at int)) (map[string]string, error) {
	read := parseKeywords
	if isURI(text) {
		read = parseURI
	}
	options, err := read(text)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, o := range options {
		switch {
		case slices.Contains(passedOn, o.Name):
			settings[o.Name] = o.Value
		case slices.Contains(passedOver, o.Name):
		case slices.Contains(unsupported, o.Name):
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

// parseConn is the driver's form of a connection string, the environment filling in what it leaves out.
func parseConn(conn string) (*pgx.ConnConfig, error) {
	settings, err := ParseConn(conn, nil)
	if err != nil {
		return nil, err
	}
	password := settings["password"]
	delete(settings, "password")
	if settings["sslpassword"] == "" {
		delete(settings, "sslpassword")
	}
	plain := FormatConn(settings)
	cc, err := pgx.ParseConfig(plain)
	if err != nil {
		return nil, withoutConn(plain, err)
	}
	if password != "" {
		cc.Password = password
	}
	return cc, nil
}

// withoutConn is an error of the driver's about a connection string without that string, which its text begins with.
func withoutConn(conn string, err error) error {
	text := strings.TrimPrefix(err.Error(), pgconn.NewParseConfigError(conn, "", nil).Error())
	if strings.Contains(text, "cannot parse `") {
		return errors.New("the connection string cannot be read")
	}
	return fmt.Errorf("%s", text)
}

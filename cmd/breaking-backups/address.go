package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// Addresses hold passwords, and one that is written wrongly holds them where nobody looks for them: what is wrong with an
// address is told by its variable and its place, and never by a piece of it.

// addresses are the variables that may hold one. Of theirs not the whole is a secret, but a part.
var addresses = []string{
	"RESTIC_REPOSITORY", "MONGO_URI", "MONGODB_URI", "DATABASE_URL", "PGDATABASE", "WEBHOOK_URL",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
}

// schemes are those of DATABASE_URL, with the DB_TYPE that each means.
var schemes = map[string]string{
	"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "mongodb": "mongo", "mongodb+srv": "mongo",
}

var errScheme = errors.New("want an address that begins with postgres://, postgresql://, mysql://, mariadb://, mongodb:// or mongodb+srv://")

// findType takes DB_TYPE from DATABASE_URL where nothing else says it. Beside a DB_TYPE an address that is none of ours is
// passed over, as another program's; one of another kind of database is an error, as it may be what was meant.
func (l *loader) findType(cfg *config) {
	if cfg.Job.Address == "" {
		return
	}
	scheme, _, _ := strings.Cut(cfg.Job.Address, "://")
	of, known := schemes[scheme]
	switch {
	case !known && cfg.Job.Type == "":
		return // a mistake where the type is needed
	case !known:
		cfg.warnings = append(cfg.warnings, "DATABASE_URL is passed over: "+errScheme.Error())
	case cfg.Job.Type == "":
		cfg.Job.Type = of
		return
	case of == cfg.Job.Type, of == "mysql" && cfg.Job.Type == "mariadb", of == "mariadb" && cfg.Job.Type == "mysql":
		return
	default:
		if _, built := engines()[cfg.Job.Type]; built {
			l.mistake("DATABASE_URL", fmt.Errorf("the address of another kind of database (%s) than DB_TYPE says; want one of them", of))
		}
	}
	cfg.Job.Address = ""
}

// readAddress puts the parts of the database's address where variables and flags say nothing else, and reports whether
// it could be read.
func (l *loader) readAddress(cfg *config) bool {
	name, err := "", error(nil)
	switch cfg.Job.Type {
	case "postgres":
		name, err = l.postgresAddress(cfg)
	case "mysql", "mariadb":
		name, err = "DATABASE_URL", l.mysqlAddress(cfg)
	case "mongo":
		name, err = l.mongoAddress(cfg)
	}
	if err != nil {
		l.mistake(name, err)
	}
	return err == nil
}

// given reports whether one of the variables is set, or its flag.
func (l *loader) given(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return l.environ[name] != "" })
}

// passedOver warns of a part of DATABASE_URL that is for other programs.
func passedOver(cfg *config) func(at int) {
	return func(at int) {
		cfg.warnings = append(cfg.warnings, fmt.Sprintf("DATABASE_URL, character %d: a parameter that is not known, which is passed over", at))
	}
}

// postgresAddress reads DATABASE_URL, or PGDATABASE where that is a connection string, and the flags. The other variables
// are the driver's to read. (libpq takes such a string where a database is named on a command line, psql -d, and there
// before its variables; PGDATABASE it takes for a name whatever is in it. So there is no rule of its to follow, and that of
// our other addresses holds.)
func (l *loader) postgresAddress(cfg *config) (name string, err error) {
	cfg.pg = map[string]string{}
	name, inName := "DATABASE_URL", postgres.IsConn(cfg.Postgres.Database)
	switch {
	case inName && cfg.Job.Address != "":
		return name, errors.New("PGDATABASE is an address as well; want one of them")
	case inName:
		name = "PGDATABASE"
		cfg.pg, err = postgres.ParseConn(cfg.Postgres.Database, nil)
	case cfg.Job.Address != "":
		cfg.pg, err = postgres.ParseConn(cfg.Job.Address, passedOver(cfg))
	}
	if err != nil {
		cfg.Postgres.Database = ""
		return name, err
	}
	cfg.redact.learn([]string{cfg.pg["password"], cfg.pg["sslpassword"]})
	if l.given("PGHOST") { // a port belongs to its host, a password to its user
		delete(cfg.pg, "port")
	}
	if user := l.environ["PGUSER"]; user != "" && user != cfg.pg["user"] {
		delete(cfg.pg, "password")
	}
	for keyword, variable := range postgres.Variables {
		if l.given(variable) && !(inName && keyword == "dbname") {
			delete(cfg.pg, keyword)
		}
	}
	for _, keyword := range []string{"host", "port", "user", "dbname"} {
		if value, ok := l.overridden[postgres.Variables[keyword]]; ok && !(inName && keyword == "dbname") {
			cfg.pg[keyword] = value
		}
	}
	if inName { // which the driver would read too
		cfg.pg["dbname"] = cmp.Or(cfg.pg["dbname"], cfg.Postgres.User, cfg.pg["user"])
		cfg.Postgres.Database = cfg.pg["dbname"]
	}
	return name, nil
}

// mysqlModes are MySQL's words for what MYSQL_TLS says.
var mysqlModes = map[string]string{
	"DISABLED": "disabled", "PREFERRED": "preferred", "REQUIRED": "required", "VERIFY_CA": "verify-ca", "VERIFY_IDENTITY": "verify-full",
}

func (l *loader) mysqlAddress(cfg *config) error {
	if cfg.Job.Address == "" {
		return nil
	}
	a, err := dump.ParseAddress(cfg.Job.Address, func(string) bool { return false })
	if err != nil {
		return err
	}
	cfg.redact.learn([]string{a.Password})
	if len(a.Hosts) > 1 {
		return errors.New("several hosts; want one")
	}
	take := func(field *string, value string, names ...string) {
		if value != "" && !l.given(names...) {
			*field = value
		}
	}
	take(&cfg.MySQL.Host, a.Hosts[0].Host, "MYSQL_HOST", "MYSQL_SOCKET")
	if port := a.Hosts[0].Port; port != "" && !l.given("MYSQL_HOST", "MYSQL_PORT", "MYSQL_SOCKET") {
		n, _ := strconv.ParseUint(port, 10, 16) // a number, as the address could be read
		cfg.MySQL.Port = uint(n)
	}
	if user := l.environ["MYSQL_USER"]; user == "" || user == a.User {
		take(&cfg.MySQL.Password, a.Password, "MYSQL_PASSWORD")
	}
	take(&cfg.MySQL.User, a.User, "MYSQL_USER")
	take(&cfg.MySQL.Database, a.Database, "MYSQL_DATABASE")
	for _, o := range a.Options {
		wrong := func(why string) error { return dump.AddressMistake(cfg.Job.Address, o.At, why) }
		switch name := strings.ToLower(strings.ReplaceAll(o.Name, "_", "-")); {
		case name == "socket":
			take(&cfg.MySQL.Socket, o.Value, "MYSQL_HOST", "MYSQL_PORT", "MYSQL_SOCKET")
		case name == "ssl-mode":
			mode, ok := mysqlModes[strings.ToUpper(o.Value)]
			if !ok {
				return wrong("want ssl-mode as mysql takes it: DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
			}
			take(&cfg.MySQL.TLS, mode, "MYSQL_TLS")
		case name == "ssl-ca":
			take(&cfg.MySQL.TLSCA, o.Value, "MYSQL_TLS_CA")
		case name == "ssl-cert":
			take(&cfg.MySQL.TLSCert, o.Value, "MYSQL_TLS_CERT")
		case name == "ssl-key":
			take(&cfg.MySQL.TLSKey, o.Value, "MYSQL_TLS_KEY")
		case strings.Contains(name, "ssl"), strings.Contains(name, "tls"):
			return wrong("a parameter about encryption that is not known; want ssl-mode, or MYSQL_TLS")
		default:
			passedOver(cfg)(dump.AddressMistake(cfg.Job.Address, o.At, "").At)
		}
	}
	return nil
}

// mongoAddress is the URI: one of the two variables', or unless the server is named DATABASE_URL.
func (l *loader) mongoAddress(cfg *config) (name string, err error) {
	switch {
	case cfg.Mongo.URI != "":
		name, cfg.mongoURI = "MONGO_URI", cfg.Mongo.URI
	case cfg.Mongo.OtherURI != "":
		name, cfg.mongoURI = "MONGODB_URI", cfg.Mongo.OtherURI
	case !l.given("MONGO_HOST", "MONGO_PORT"):
		name, cfg.mongoURI = "DATABASE_URL", cfg.Job.Address
	}
	if cfg.mongoURI == "" {
		return name, nil
	}
	return name, mongo.CheckURI(cfg.mongoURI, func(o dump.AddressOption) error {
		if why := foreignOption(o.Name); why != "" {
			return dump.AddressMistake(cfg.mongoURI, o.At, why)
		}
		at := dump.AddressMistake(cfg.mongoURI, o.At, "").At
		cfg.warnings = append(cfg.warnings, fmt.Sprintf("%s, character %d: an option that is not known, which is passed over", name, at))
		return nil
	})
}

// foreignOption says why an option of MongoDB's that is not known is no other driver's which may be passed over; empty: it
// may well be. It is not repeated, as it may be a piece of a password.
func foreignOption(name string) string {
	lower := strings.ToLower(name)
	known := map[string]bool{}
	for _, option := range mongo.URIOptions {
		known[strings.ToLower(option)] = true
	}
	meant := nearest(lower, known, min(2, len(name)/3)) // letters wrong
	for _, option := range mongo.URIOptions {
		if strings.ToLower(option) == meant {
			return "an option that is not known; did you mean " + option + "?"
		}
	}
	if strings.HasPrefix(lower, "tls") || strings.HasPrefix(lower, "ssl") {
		return "an option about encryption that is not known; want tls, tlsCAFile, tlsCertificateKeyFile, tlsInsecure"
	}
	return ""
}

// checkURLs looks at the addresses that other programs and libraries read, as these quote what they cannot read.
func (l *loader) checkURLs(cfg *config) {
	for _, kind := range []string{"rest:", "s3:", ""} {
		address, ours := strings.CutPrefix(cfg.Repository.Location, kind)
		scheme, _, isURL := strings.Cut(address, "://")
		if !ours || !isURL || kind == "" && scheme != "sftp" {
			continue
		}
		if _, err := parseURL(address, "http", "https", "http+unix", "sftp"); err != nil {
			l.mistake("RESTIC_REPOSITORY", moved(err, len(kind)))
		}
		break
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		address, added := l.environ[name], ""
		if address == "" {
			continue
		}
		if !strings.Contains(address, "://") {
			added = "http://"
		}
		_, err := parseURL(added+address, "http", "https", "socks5", "socks5h")
		if err == nil {
			err = strayAt(added + address)
		}
		if err != nil {
			l.mistake(name, moved(err, -len(added)))
		}
	}
}

// moved is an error about an address that stands by characters further on.
func moved(err error, by int) error {
	var wrong *dump.AddressError
	if !errors.As(err, &wrong) || wrong.At == 0 {
		return err
	}
	return &dump.AddressError{At: wrong.At + by, Why: wrong.Why}
}

// parseURL reads a URL that has one of the schemes. Its errors tell the place and nothing of the URL.
func parseURL(text string, of ...string) (*url.URL, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !slices.Contains(of, strings.ToLower(scheme)) {
		return nil, fmt.Errorf("want an address that begins with %s://", strings.Join(of[:min(len(of), 2)], ":// or "))
	}
	address, err := url.Parse(text)
	if err == nil && (address.Host != "" || scheme == "http+unix") {
		return address, nil
	}
	const escape = "; within user and password write %25 for %, %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #"
	start := len(text) - len(rest)
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return nil, dump.AddressMistake(text, i, "a control character"+escape)
	}
	if i := dump.BadEscape(text); i >= 0 {
		return nil, dump.AddressMistake(text, i, "a % that begins no escape"+escape)
	}
	if err := strayAt(text); err != nil {
		return nil, err
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if end := strings.LastIndexByte(authority, '@'); end >= 0 {
		plain := func(r rune) bool {
			return !strings.ContainsRune("-._:~!$&'()*+,;=%@", r) && (r > 'z' || !isWord(byte(r)))
		}
		if i := strings.IndexFunc(authority[:end], plain); i >= 0 {
			return nil, dump.AddressMistake(text, start+i, "a character that has to be escaped"+escape)
		}
	}
	return nil, dump.AddressMistake(text, start, "want user:password@host:port, or a host"+escape)
}

// strayAt finds a URL whose host and port may be a user and the beginning of a password with a / in it: both would be
// shown as the host.
func strayAt(text string) error {
	_, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || !strings.Contains(rest[:end], ":") || strings.Contains(rest[:end], "@") {
		return nil
	}
	if i := strings.IndexByte(rest[end:], '@'); i >= 0 {
		return dump.AddressMistake(text, len(text)-len(rest)+end+i, "an @ that ends no user and password: within these write %2F for /, %3F for ?, %23 for #; elsewhere %40 for @")
	}
	return nil
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

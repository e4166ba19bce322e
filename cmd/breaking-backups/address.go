package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Addresses hold passwords, and one that is written wrongly holds them where nobody looks for them:
// what is wrong with an address is told by its variable and its place, and never by a piece of it.

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

// findType takes DB_TYPE from DATABASE_URL where nothing else says it. Beside a DB_TYPE an address
// that is none of ours is passed over, as another program's; one of another kind of database is an
// error, as it may be what was meant.
func (l *configLoader) findType(cfg *config) {
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
		if _, built := kinds()[cfg.Job.Type]; built {
			l.Mistake("DATABASE_URL", fmt.Errorf("the address of another kind of database (%s) than DB_TYPE says; want one of them", of))
		}
	}
	cfg.Job.Address = ""
}

// passedOver warns of a part of DATABASE_URL that is for other programs.
func passedOver(cfg *config) func(at int) {
	return func(at int) {
		cfg.warnings = append(cfg.warnings, fmt.Sprintf("DATABASE_URL, character %d: a parameter that is not known, which is passed over", at))
	}
}

// checkURLs looks at the addresses that other programs and libraries read, as these quote what they
// cannot read.
func (l *configLoader) checkURLs(cfg *config) {
	for _, kind := range []string{"rest:", "s3:", ""} {
		address, ours := strings.CutPrefix(cfg.Repository.Location, kind)
		scheme, _, isURL := strings.Cut(address, "://")
		if !ours || !isURL || kind == "" && scheme != "sftp" {
			continue
		}
		if _, err := parseURL(address, "http", "https", "http+unix", "sftp"); err != nil {
			l.Mistake("RESTIC_REPOSITORY", moved(err, len(kind)))
		}
		break
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		address, added := l.Environ[name], ""
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
			l.Mistake(name, moved(err, -len(added)))
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

// parseURL reads a URL that has one of the schemes. Its errors tell the place and nothing of the
// URL.
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

// strayAt finds a URL whose host and port may be a user and the beginning of a password with a / in
// it: both would be shown as the host.
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

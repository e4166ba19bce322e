package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// What a database's image, its client or an application's framework calls by other names. Such a
// variable may be there for one of those alone, so it is a reason to ask only where ours is not
// set.

// foreignWords end the names that others have for what ours say; how they begin each kind of
// database says.
var foreignWords = map[string][]string{
	"host":     {"HOST", "HOSTNAME", "SERVER"},
	"port":     {"PORT", "TCP_PORT", "PORT_NUMBER"},
	"user":     {"USER", "USERNAME", "ROOT_USER", "ROOT_USERNAME"},
	"password": {"PASSWORD", "PASS", "PWD", "ROOT_PASSWORD", "POSTGRES_PASSWORD"},
	"database": {"DB", "DATABASE", "NAME", "DBNAME"},
	"socket":   {"UNIX_PORT"},
	"address":  {"URL"},
}

// foreignNames are variables that say what one of ours would, if that is not set, and ours.
func (l *configLoader) foreignNames(cfg *config) map[string]string {
	kind := kinds()[cfg.Job.Type]
	if cfg.Job.Address != "" || cfg.Mongo.URI != "" || cfg.Mongo.OtherURI != "" || l.Given("PGSERVICE") || postgres.IsConn(cfg.Postgres.Database) { // which say all
		return nil
	}
	found := map[string]string{}
	for what, ours := range kind.names {
		switch {
		case l.Given(ours), ours == "PGPASSWORD" && l.Given("PGPASSFILE"), ours == "PGDATABASE" && (cfg.Postgres.DumpAll || cfg.Postgres.Databases != ""):
			continue
		case what == "socket" && l.Given("MYSQL_HOST", "MYSQL_PORT"), ours == "MYSQL_HOST" && l.Given("MYSQL_SOCKET"), ours == "MYSQL_PORT" && l.Given("MYSQL_SOCKET"): // the one in place of the others
			continue
		}
		for _, prefix := range kind.foreign {
			for _, word := range foreignWords[what] {
				for _, suffix := range []string{"", "_FILE"} {
					name := prefix + word + suffix
					value := l.Environ[name]
					if value == "" || isServiceLink(value) || isKnown(name) {
						continue
					}
					if suffix == "" || what == "password" { // of the others ours have no file
						found[name] = ours + suffix
					}
				}
			}
		}
	}
	return found
}

// isKnown reports whether a variable is ours.
func isKnown(name string) bool {
	return slices.ContainsFunc(ownSettings().Settings, func(s settings.Setting) bool { return s.Env == strings.TrimSuffix(name, "_FILE") })
}

// isServiceLink reports whether a port is one that nobody has set: Kubernetes tells pods of a
// service named mysql by MYSQL_PORT.
func isServiceLink(value string) bool {
	return strings.HasPrefix(value, "tcp://") || strings.HasPrefix(value, "udp://")
}

// serviceLinkError is what is wrong with a port that Kubernetes has set.
type serviceLinkError struct{ err error }

func (e *serviceLinkError) Error() string {
	return e.err.Error() + ", which Kubernetes sets for a service of that name"
}
func (e *serviceLinkError) Unwrap() error { return e.err }

// wrongPort is err, of a value that is no port, and with it where the value may come from.
func wrongPort(value string, err error) error {
	if isServiceLink(value) {
		return &serviceLinkError{err}
	}
	return err
}

// dropServiceLinks unsets ports that Kubernetes has set and that would not be used: those of
// another engine, and those beside an address or a socket, whose place they would take.
func (l *configLoader) dropServiceLinks() {
	engine := l.Environ["DB_TYPE"]
	scheme, _, isAddress := strings.Cut(l.Environ["DATABASE_URL"], "://")
	if isAddress = isAddress && schemes[scheme] != ""; isAddress && engine == "" {
		engine = schemes[scheme]
	}
	own := kinds()[engine].names["port"]
	for _, kind := range kinds() {
		port := kind.names["port"]
		instead := isAddress && !l.Given(kind.names["host"]) || l.Given(kind.instead...)
		if isServiceLink(l.Environ[port]) && !l.Flagged(port) && (port != own || instead) {
			delete(l.Environ, port)
		}
	}
}

// checkFile makes sure that a file that is named is there and can be read. The error does not
// repeat the name, in the place of which somebody may have written what belongs into the file.
func checkFile(name string) error {
	if name == "" {
		return nil
	}
	info, err := os.Stat(name)
	if err == nil {
		if !info.Mode().IsRegular() { // a pipe can be opened once
			return nil
		}
		var file *os.File
		if file, err = os.Open(name); err == nil {
			return file.Close()
		}
	}
	var why *fs.PathError
	if errors.As(err, &why) {
		err = why.Err
	}
	return fmt.Errorf("want the path of a file: %w", err)
}

package postgres

import "github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"

// Variables are libpq's variables by the parameter of a connection string that says the same.
var Variables = server.Variables

// IsConn reports whether a database's name is a connection string to libpq: a URI, or
// keyword=value.
func IsConn(name string) bool { return server.IsConn(name) }

// ParseConn reads a connection string, as libpq takes it, into its parameters. A parameter that
// libpq does not know is passed over if unknown is not nil, which is told the character at which it
// stands; else it is an error, as with libpq. Errors are *dump.AddressError.
func ParseConn(text string, unknown func(at int)) (map[string]string, error) {
	return server.ParseConn(text, unknown)
}

// FormatConn is the connection string of keywords and values that ParseConn reads as settings.
func FormatConn(settings map[string]string) string { return server.FormatConn(settings) }

package server

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// A server cannot bring the driver to send a password in clear: that is done where the URI says
// authMechanism=PLAIN, and there it is what was asked for. So nothing is refused; but whoever sends
// a password, or what proves it, over a connection that others can read is told.

// WarnUnencrypted says that others can read along, where a connection to another machine is not
// encrypted.
func (s Config) WarnUnencrypted(warn func(string)) {
	opts, err := s.options()
	if err != nil || opts.Auth == nil || opts.TLSConfig != nil || !slices.ContainsFunc(opts.Hosts, isElsewhere) {
		return
	}
	what := "what the password is proved by"
	if opts.Auth.AuthMechanism == "PLAIN" {
		what = "the password itself"
	}
	warn(fmt.Sprintf("the connection to %s is not encrypted: whoever is between can read all data and %s, and answer in the server's place; tls=true in MONGO_URI", s.HostName(), what))
}

// isElsewhere tells whether a host of a URI is another machine.
func isElsewhere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return !strings.Contains(host, "/") && !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback())
}

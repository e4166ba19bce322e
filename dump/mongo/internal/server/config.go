// Package server is a server as all else sees it: how it is reached, what it says of itself, which
// of its settings and of a URI's must not change an answer, how its cursors and sessions are kept,
// when a write has lasted, and what its errors mean. What it is asked for and what the answers are
// about is no concern of this package.
package server

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// A Config is how a server, a replica set or a cluster is reached.
type Config struct {
	URI  string // mongodb:// or mongodb+srv://; in place of Host and Port
	Host string // empty means localhost
	Port string // empty means 27017

	User         string // in place of the URI's
	Password     string
	AuthDatabase string // where User is known; empty means where the URI says, else admin

	// ConnectTimeout bounds the wait for a server that can be reached; serverSelectionTimeoutMS of
	// the URI goes before it. Until the server has said who it is twice that may pass. 0 means the
	// driver's own, half a minute.
	ConnectTimeout time.Duration
}

// Check finds mistakes without contacting anything.
func (s Config) Check() error {
	if s.URI != "" && (s.Host != "" || s.Port != "") {
		return errors.New("a URI and a host: want one of them")
	}
	if s.URI != "" {
		if err := CheckURI(s.URI, nil); err != nil {
			return err
		}
	}
	if isSRV(s.URI) { // the driver asks the name server as soon as it reads the URI
		return nil
	}
	_, err := s.options()
	return err
}

func (s Config) options() (*options.ClientOptions, error) {
	opts := options.Client()
	if s.URI != "" {
		if err := opts.ApplyURI(s.URI).Validate(); err != nil {
			return nil, uriError(s.URI, nil, err)
		}
	} else {
		host, port := s.Host, s.Port
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = "27017"
		}
		if strings.HasPrefix(host, "/") {
			opts.SetHosts([]string{host})
		} else {
			opts.SetHosts([]string{net.JoinHostPort(host, port)})
		}
	}
	if s.User != "" {
		credential := options.Credential{AuthSource: "admin"}
		if opts.Auth != nil { // the URI's mechanism, and where it looks
			credential = *opts.Auth
		}
		credential.Username, credential.Password, credential.PasswordSet = s.User, s.Password, s.Password != ""
		credential.AuthSource = cmp.Or(s.AuthDatabase, credential.AuthSource)
		opts.SetAuth(credential)
	}
	if opts.AppName == nil {
		opts.SetAppName("breaking-backups")
	}
	if opts.ServerSelectionTimeout == nil && s.ConnectTimeout > 0 {
		opts.SetServerSelectionTimeout(s.ConnectTimeout)
	}
	withoutSettings(opts)
	return opts, opts.Validate()
}

// HostName is the first host, without its port.
func (s Config) HostName() string {
	hosts := s.Host
	if s.URI != "" {
		_, rest, _ := strings.Cut(s.URI, "://")
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "/")
		hosts = rest[strings.LastIndex(rest, "@")+1:]
	}
	host, _, _ := strings.Cut(hosts, ",")
	if h, err := url.PathUnescape(host); err == nil {
		host = h
	}
	if strings.HasPrefix(host, "/") || host == "" && s.URI == "" {
		return "localhost"
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// Address is the server's, for people: of several the first.
func (s Config) Address() string {
	opts, err := s.options()
	if err != nil || len(opts.Hosts) == 0 || strings.HasPrefix(opts.Hosts[0], "/") {
		return s.HostName()
	}
	return opts.Hosts[0]
}

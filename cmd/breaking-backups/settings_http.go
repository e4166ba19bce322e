package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// httpSettings say what the program tells whoever asks it over HTTP, and who may ask.
type httpSettings struct {
	// Where `start` answers over HTTP: `:8080`, or `127.0.0.1:8080`. `/healthz`, `/readyz` and
	// `/metrics` answer everybody; the page and `/status` those who bear the token or name
	// themselves, and with neither set only the machine itself; `POST /run/JOB` the token alone.
	// Unset: nothing listens.
	Address string `env:"HTTP_ADDR" help:"answer over HTTP: /healthz, /readyz, /metrics, /status, a page, POST /run/JOB; e.g. :8080" shown:"nothing listens"`
	// The token that opens the page, `/status` and `POST /run/JOB`: `Authorization: Bearer …`.
	Token string `env:"HTTP_TOKEN" secret:"true" help:"bearer token that opens the page, /status and POST /run/JOB" shown:"none"`
	// The user and password that open the page and `/status`: `user:password`.
	Basic string `env:"HTTP_BASIC_AUTH" secret:"true" help:"user:password that open the page and /status" shown:"none"`
	// How much later than its schedule says a backup, or a drill, may be done before the job is no
	// longer healthy. 0: by what its runs have taken, at least a quarter of an hour.
	Grace seconds `env:"HEALTH_GRACE_SECONDS" default:"0" help:"how late a backup or drill may be before /healthz and healthcheck fail; 0: by what runs take, at least 15 minutes"`

	user, password string // of Basic
}

// pushSettings say where metrics are left by what does not stay to be asked.
type pushSettings struct {
	// A Prometheus Pushgateway that `run-once`, `verify` and a `start` without a schedule leave
	// their metrics with: `http://host:9091`. One that does not take them is warned of, and fails
	// nothing.
	URL string `env:"PUSHGATEWAY_URL" secret:"true" help:"a Prometheus Pushgateway that what ends by itself leaves its metrics with, e.g. http://host:9091" shown:"none"`

	url *url.URL
}

// shortestToken is the least length of HTTP_TOKEN, in characters.
const shortestToken = 16

func (l *configLoader) finishHTTP(cfg *config) {
	s := &cfg.HTTP
	if s.Address != "" {
		if _, port, err := net.SplitHostPort(s.Address); err != nil || checkPort(port) != nil || port == "" {
			l.Mistake("HTTP_ADDR", fmt.Errorf("want host:port, or :port alone, e.g. :8080, got %q", s.Address))
		}
	}
	if s.Token != "" && len(s.Token) < shortestToken {
		l.Mistake("HTTP_TOKEN", fmt.Errorf("want at least %d characters", shortestToken))
	}
	if s.Basic != "" {
		var ok bool
		if s.user, s.password, ok = strings.Cut(s.Basic, ":"); !ok || s.user == "" || s.password == "" {
			l.Mistake("HTTP_BASIC_AUTH", errors.New("want user:password"))
		}
	}
	if cfg.Push.URL != "" {
		var err error
		if cfg.Push.url, err = parseURL(cfg.Push.URL, "http", "https"); err != nil {
			l.Mistake("PUSHGATEWAY_URL", err)
		}
	}
}

// grace is how much later than its schedule says something may be done.
func (s httpSettings) grace() time.Duration { return time.Duration(s.Grace) }

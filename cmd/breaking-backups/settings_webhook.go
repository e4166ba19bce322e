package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/notify"
)

// webhookSettings say whom a run is told to.
type webhookSettings struct {
	// Told of every run, success or failure.
	URL string `env:"WEBHOOK_URL" secret:"true" help:"told of every run, success or failure" shown:"none"`
	// The HTTP method.
	Method string `env:"WEBHOOK_METHOD" default:"POST" help:"HTTP method"`
	// One header: `Name: value`.
	Auth string `env:"WEBHOOK_AUTH_HEADER" secret:"true" help:"one header, Name: value" shown:"none"`
	// More headers: `K=V,K=V`. A comma in a value is written `\,`.
	Headers string `env:"WEBHOOK_EXTRA_HEADERS" secret:"true" help:"more headers, K=V,K=V; a comma in a value is \\," shown:"none"`
	// The bound of one try. There are four: network errors, 5xx and 429 are tried again.
	Timeout seconds `env:"WEBHOOK_TIMEOUT_SECONDS" default:"10" help:"of one try; there are four"`
}

// finishWebhook makes the webhook. Its address and headers are secrets, so no message repeats them.
func (l *configLoader) finishWebhook(cfg *config) {
	header := http.Header{}
	if cfg.Webhook.Auth != "" {
		name, value, err := notify.ParseHeader(cfg.Webhook.Auth)
		if err != nil {
			l.Mistake("WEBHOOK_AUTH_HEADER", err)
		} else {
			header.Set(name, value)
		}
	}
	if err := notify.ParseHeaders(cfg.Webhook.Headers, header); err != nil {
		l.Mistake("WEBHOOK_EXTRA_HEADERS", err)
	}
	if strings.Trim(cfg.Webhook.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		l.Mistake("WEBHOOK_METHOD", fmt.Errorf("want a method such as POST or PUT, got %q", cfg.Webhook.Method))
		cfg.Webhook.Method = http.MethodPost
	}
	if cfg.Webhook.URL == "" {
		return
	}
	address, err := parseURL(cfg.Webhook.URL, "http", "https")
	if err == nil {
		err = strayAt(cfg.Webhook.URL)
	}
	if err != nil {
		l.Mistake("WEBHOOK_URL", err)
		return
	}
	cfg.webhook = &notify.Webhook{
		URL: address, Method: cfg.Webhook.Method, Header: header, Timeout: time.Duration(cfg.Webhook.Timeout),
		Retries: 3, WaitMin: 500 * time.Millisecond, WaitMax: 30 * time.Second,
	}
}

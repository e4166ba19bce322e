package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

const (
	askTime    = 5 * time.Second
	mostAnswer = 4 << 20
)

// ErrNoAnswer is that of a program of which nothing can be said: it is not there, or what is there
// is another one.
var ErrNoAnswer = errors.New("no answer")

// Ask asks the program that serves on this machine's addr, as HTTP_ADDR says it, for its health:
// none but ErrNoAnswer, with no problems, is what it does not answer. It takes five seconds at
// most.
func Ask(ctx context.Context, addr string) ([]status.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	at, err := reachable(addr)
	if err != nil {
		return nil, fmt.Errorf("ask for health: %w: %w", ErrNoAnswer, err)
	}
	problems, err := ask(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("ask %s for health: %w: %w", at, ErrNoAnswer, err)
	}
	return problems, nil
}

func ask(ctx context.Context, at string) ([]status.Problem, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+"/healthz", nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // and without a proxy, which would ask another machine
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		return nil, fmt.Errorf("answered %s", resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, err
	}
	var h health
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, fmt.Errorf("answered %s, but not as this program does: %w", resp.Status, err)
	}
	switch {
	case resp.StatusCode == http.StatusOK && h.Status == ok && len(h.Problems) == 0:
		return nil, nil
	case resp.StatusCode != http.StatusOK && h.Status == unhealthy && len(h.Problems) > 0:
		return h.Problems, nil
	}
	return nil, fmt.Errorf("answered %s, but not as this program does", resp.Status)
}

// reachable is the address at which a program that listens on addr is reached from the same
// machine: where it listens on all, that is loopback.
func reachable(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1" // also where it is [::], which Go takes for all of both families
	}
	return net.JoinHostPort(host, port), nil
}

func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

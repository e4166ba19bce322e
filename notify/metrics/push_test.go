package metrics

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// pushTo leaves the metrics of two jobs with a gateway that answers so, by an address with secrets.
func pushTo(ctx context.Context, t *testing.T, answer http.HandlerFunc) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until it is read Go's server does not see that the client has gone
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	gateway, err := url.Parse(server.URL + "/p4th/")
	if err != nil {
		t.Fatal(err)
	}
	gateway.User = url.UserPassword("us3r", "p4ssword")
	board := status.NewBoard()
	board.Add(status.Job{Name: "app"})
	board.Add(status.Job{Name: "shop"})
	return New(board, "1.2.3").Push(ctx, gateway, "app,shop")
}

func TestPush(t *testing.T) {
	var asked *http.Request
	err := pushTo(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.WriteHeader(http.StatusOK)
	})
	if err != nil {
		t.Fatal(err)
	}
	if user, password, _ := asked.BasicAuth(); user != "us3r" || password != "p4ssword" {
		t.Errorf("it was asked as %q with %q", user, password)
	}
	if asked.Method != http.MethodPut || asked.URL.Path != "/p4th/metrics/job/breaking_backups/jobs/app,shop" {
		t.Errorf("it was asked to %s %s", asked.Method, asked.URL.Path)
	}
}

// What a gateway answers that does not take the metrics is an error that tells no secret.
func TestPushRefused(t *testing.T) {
	var elsewhere bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.URL.String()+r.Header.Get("Authorization"), 400)
		}, "400 Bad Request"},
		"no password": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "401 Unauthorized"},
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, "307 Temporary"},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "500 Internal"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pushTo(t.Context(), t, c.answer)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			for _, secret := range []string{"us3r", "p4ssword", "p4th", "dXMzcjpwNHNzd29yZA"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells %s: %v", secret, err)
				}
			}
		})
	}
	if elsewhere {
		t.Error("a redirection was followed")
	}
}

// A gateway that takes what it is sent and says nothing is left alone in the end.
func TestPushUnanswered(t *testing.T) {
	if testing.Short() {
		t.Skip("it lasts ten seconds")
	}
	t.Parallel()
	began := time.Now()
	err := pushTo(t.Context(), t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > pushTime+5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Whoever ends the run ends the push.
func TestPushInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := pushTo(ctx, t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v", err)
	}
}

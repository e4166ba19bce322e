package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver answers with the given statuses in turn, the last one from then on, and keeps what it
// was sent.
type receiver struct {
	*httptest.Server
	statuses []int
	header   http.Header // of every answer
	requests []*http.Request
	bodies   []string
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	r := &receiver{statuses: statuses, header: http.Header{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		status := r.statuses[min(len(r.requests), len(r.statuses)-1)]
		r.requests, r.bodies = append(r.requests, req), append(r.bodies, string(body))
		for name, values := range r.header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func webhookTo(t *testing.T, address string) *Webhook {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &Webhook{URL: u, Timeout: 10 * time.Second, Retries: 3, WaitMin: time.Millisecond, WaitMax: 20 * time.Millisecond}
}

// A run is told once it has ended, and nothing else of it is.
func TestWebhookHearsTheEnd(t *testing.T) {
	receiver := newReceiver(t, http.StatusOK)
	webhook := webhookTo(t, receiver.URL)
	run := event.Run{Kind: event.Backup, Job: "shop", Host: "db", DBType: "postgres", Repository: "/srv/backups", Tags: []string{"app"}}
	began := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	for _, what := range []event.What{
		event.Begun{},
		event.Phase{Name: event.Dump},
		event.Table{},
		event.Bytes{},
		event.Compared{},
		event.Note{},
		event.Warning{},
		event.Unheard{},
		event.Ended{
			Began: began, Snapshot: event.Snapshot{ID: "1234", Bytes: 6, Added: 5, Duration: time.Second, FilesNew: 1},
			Safe: true, Error: "retention: locked", ExitCode: 3,
		},
	} {
		if err := webhook.Hear(t.Context(), event.Event{Run: run, At: began.Add(time.Minute), What: what}); err != nil {
			t.Error(err)
		}
	}
	want := []string{`{"status":"failed","message":"Backup mislukt (exitcode=3)","startedAt":"2026-03-29T01:00:00Z","finishedAt":"2026-03-29T01:01:00Z","durationSeconds":60,` +
		`"repository":"/srv/backups","dbType":"postgres","host":"db","tags":["app"],"snapshotId":"1234","dataAddedBytes":5,"totalBytesProcessed":6,"totalDurationSeconds":1,` +
		`"filesNew":1,"filesChanged":0,"filesUnmodified":0,"error":"retention: locked"}`}
	if diff := cmp.Diff(want, receiver.bodies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportHasExactlyTheFieldsPromised(t *testing.T) {
	start := time.Date(2026, 3, 29, 2, 59, 58, 5e8, time.FixedZone("", 2*60*60))
	failed := report{
		Status: failed, Message: "m", StartedAt: start, FinishedAt: start.Add(90 * time.Second), Duration: 90*time.Second + 1234567,
		Repository: "/r", DBType: "postgres", Host: "db", Error: "e",
	}
	succeeded := failed
	succeeded.Status, succeeded.Error, succeeded.Tags, succeeded.SnapshotID = success, "", []string{"a", "b=c"}, "1234"
	succeeded.DataAddedBytes, succeeded.TotalBytesProcessed, succeeded.ResticDuration = 1, 2, 1500*time.Millisecond
	succeeded.FilesNew, succeeded.FilesChanged, succeeded.FilesUnmodified = 3, 4, 5
	tests := []struct {
		report report
		want   string
	}{
		{failed, `{"status":"failed","message":"m","startedAt":"2026-03-29T00:59:58Z","finishedAt":"2026-03-29T01:01:28Z","durationSeconds":90.001,` +
			`"repository":"/r","dbType":"postgres","host":"db","tags":[],"snapshotId":"","dataAddedBytes":0,"totalBytesProcessed":0,` +
			`"totalDurationSeconds":0,"filesNew":0,"filesChanged":0,"filesUnmodified":0,"error":"e"}`},
		{succeeded, `{"status":"success","message":"m","startedAt":"2026-03-29T00:59:58Z","finishedAt":"2026-03-29T01:01:28Z","durationSeconds":90.001,` +
			`"repository":"/r","dbType":"postgres","host":"db","tags":["a","b=c"],"snapshotId":"1234","dataAddedBytes":1,"totalBytesProcessed":2,` +
			`"totalDurationSeconds":1.5,"filesNew":3,"filesChanged":4,"filesUnmodified":5}`},
	}
	for _, tt := range tests {
		got, err := json.Marshal(tt.report)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.report.Status, diff)
		}
	}
}

func TestSend(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int
		header   http.Header
		tries    int
		err      string // after the address
	}{
		{"delivered", []int{200}, nil, 1, ""},
		{"no content", []int{204}, nil, 1, ""},
		{"one failure, then delivered", []int{500, 200}, nil, 2, ""},
		{"too many requests, then delivered", []int{429, 200}, http.Header{"Retry-After": {"3600"}}, 2, ""},
		{"not wanted", []int{403}, nil, 1, "answered 403 Forbidden"},
		{"redirected", []int{302}, http.Header{"Location": {"/other"}}, 1, "answered 302 Found"},
		{"always failing", []int{503}, nil, 4, "answered 503 Service Unavailable (tries: 4)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, tt.statuses...)
			r.header = tt.header
			webhook := webhookTo(t, r.URL+"/hook/s3cret?token=s3cret")
			err := webhook.send(t.Context(), report{Status: success, Message: "m"})
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "webhook "+webhook.URL.Host+": ")
			}
			if diff := cmp.Diff(tt.err, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(r.requests) != tt.tries {
				t.Errorf("%d tries, want %d", len(r.requests), tt.tries)
			}
			for i, body := range r.bodies {
				if !strings.HasPrefix(body, `{"status":"success","message":"m",`) {
					t.Errorf("try %d sent %q", i+1, body)
				}
			}
		})
	}
}

func TestSendUsesMethodAndHeaders(t *testing.T) {
	r := newReceiver(t, 200)
	webhook := webhookTo(t, r.URL+"/hook")
	webhook.Method = http.MethodPut
	webhook.Header = http.Header{"Authorization": {"Bearer s3cret"}, "X-Two": {"a", "b"}, "Host": {"backups.example"}}
	if err := webhook.send(t.Context(), report{}); err != nil {
		t.Fatal(err)
	}
	got := r.requests[0]
	if got.Method != "PUT" || got.URL.Path != "/hook" || got.Host != "backups.example" {
		t.Errorf("%s %s for host %s", got.Method, got.URL.Path, got.Host)
	}
	want := map[string][]string{"Authorization": {"Bearer s3cret"}, "X-Two": {"a", "b"}, "Content-Type": {"application/json"}}
	for name, values := range want {
		if diff := cmp.Diff(values, got.Header[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSendToNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close() // its port now refuses
	webhook := webhookTo(t, "http://user:s3cret@"+listener.Addr().String()+"/s3cret")
	err = webhook.send(t.Context(), report{})
	if err == nil || !strings.HasSuffix(err.Error(), "connection refused (tries: 4)") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Send: %v", err)
	}
}

// silent accepts connections and answers none of them until the test ends.
func silent(t *testing.T) string {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); server.Close() })
	return server.URL
}

func TestSendTimesOut(t *testing.T) {
	webhook := webhookTo(t, silent(t)+"/s3cret")
	webhook.Timeout, webhook.Retries = 30*time.Millisecond, 1
	err := webhook.send(t.Context(), report{})
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Send: %v", err)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	webhook := webhookTo(t, silent(t))
	webhook.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := webhook.send(ctx, report{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send: %v", err)
	}
}

// Nor does an address that no request can be made of show.
func TestSendToABadAddress(t *testing.T) {
	w := &Webhook{URL: &url.URL{Scheme: "http", User: url.UserPassword("someone", "s3cret"), Host: "no host", Path: "/s3cret"}, Timeout: time.Second}
	err := w.send(t.Context(), report{})
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "webhook no host: ") {
		t.Errorf("Send: %v, want an error that names the host alone", err)
	}
}

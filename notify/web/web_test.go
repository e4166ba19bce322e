package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token    = "t0ken-of-the-operator"
	password = "p4ss:word-of-the-operator"
)

// today is when the tests' boards are asked.
var today = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// newBoard is a board with a job whose last backup is of this morning.
func newBoard() *status.Board {
	b := status.NewBoard()
	b.Add(status.Job{
		Name: "app", Host: "db", DBType: "postgres", Repository: "/srv/backups", Database: "app",
		Plans: map[event.Kind]status.Plan{event.Backup: {
			Text:   "every day",
			Next:   func(t time.Time) time.Time { return t.Truncate(24 * time.Hour).Add(24 * time.Hour) },
			Jitter: 90 * time.Second,
		}},
	})
	b.Seed("app", []status.Backup{{ID: "abcdef", At: today.Add(-6 * time.Hour), Bytes: 10, Added: 5, Stored: 2, Duration: 1500 * time.Millisecond}}, nil, nil)
	return b
}

// testSite answers at a moment of the tests.
func testSite(c Config, now time.Time) http.Handler {
	if c.Board == nil {
		c.Board = newBoard()
	}
	s := newSite(c)
	s.now = func() time.Time { return now }
	return s.handler()
}

// request is one from the machine itself, as others change it.
func request(method, target string, change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8080"
	for _, c := range change {
		c(r)
	}
	return r
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func from(addr string) func(*http.Request)    { return func(r *http.Request) { r.RemoteAddr = addr } }
func meaning(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }

func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }
func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// get is what is answered.
func get(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Who may see what, by what is configured.
func TestGate(t *testing.T) {
	open, withToken := Config{}, Config{Token: token}
	withBasic, both := Config{User: "operator", Password: password}, Config{Token: token, User: "operator", Password: password}
	far := from("192.0.2.7:40000")
	tests := []struct {
		name   string
		config Config
		change []func(*http.Request)
		want   int
	}{
		{"local", open, nil, 200},
		{"local by 127.0.0.2", open, []func(*http.Request){from("127.0.0.2:1")}, 200},
		{"local by IPv6", open, []func(*http.Request){from("[::1]:40000"), meaning("[::1]:8080")}, 200},
		{"local by IPv4 within IPv6", open, []func(*http.Request){from("[::ffff:127.0.0.1]:40000")}, 200},
		{"local by an address without a port", open, []func(*http.Request){meaning("127.0.0.1")}, 200},
		{"local by an address of IPv6 without a port", open, []func(*http.Request){meaning("[::1]")}, 200},
		{"local by localhost without a port", open, []func(*http.Request){meaning("LocalHost")}, 200},
		{"another machine", open, []func(*http.Request){far}, 403},
		{"another machine that names itself local", open, []func(*http.Request){far, header("X-Forwarded-For", "127.0.0.1"), header("X-Real-IP", "127.0.0.1")}, 403},
		{"another machine within IPv6", open, []func(*http.Request){from("[::ffff:192.0.2.7]:40000")}, 403},
		{"a name that was made to be loopback", open, []func(*http.Request){meaning("evil.example:8080")}, 403},
		{"a name that begins like loopback", open, []func(*http.Request){meaning("localhost.evil.example:8080")}, 403},
		{"an address that begins like loopback", open, []func(*http.Request){meaning("127.0.0.1.evil.example")}, 403},
		{"a name behind localhost", open, []func(*http.Request){meaning("localhost:80@evil.example")}, 403},
		{"no host", open, []func(*http.Request){meaning("")}, 403},
		{"no address", open, []func(*http.Request){from("@")}, 403},
		{"a proxy on the machine", open, []func(*http.Request){header("X-Forwarded-For", "192.0.2.7")}, 403},
		{"another proxy on the machine", open, []func(*http.Request){header("Forwarded", "for=192.0.2.7")}, 403},
		{"a third proxy on the machine", open, []func(*http.Request){header("Via", "1.1 proxy")}, 403},

		{"local without the token", withToken, nil, 401},
		{"the token, from far", withToken, []func(*http.Request){far, meaning("evil.example"), bearer(token)}, 200},
		{"the token, of another scheme's letters", withToken, []func(*http.Request){header("Authorization", "bEARER  "+token)}, 200},
		{"a wrong token", withToken, []func(*http.Request){bearer(token + "x")}, 401},
		{"the token's beginning", withToken, []func(*http.Request){bearer(token[:5])}, 401},
		{"no token", withToken, []func(*http.Request){bearer("")}, 401},
		{"the token without a scheme", withToken, []func(*http.Request){header("Authorization", token)}, 401},
		{"the token as a password", withToken, []func(*http.Request){basic("", token)}, 401},
		{"the token in the address", withToken, []func(*http.Request){func(r *http.Request) { r.URL.RawQuery = "token=" + token }}, 401},

		{"local without the password", withBasic, nil, 401},
		{"the password", withBasic, []func(*http.Request){far, basic("operator", password)}, 200},
		{"a wrong password", withBasic, []func(*http.Request){basic("operator", password+"x")}, 401},
		{"a wrong name", withBasic, []func(*http.Request){basic("operato", "r"+password)}, 401},
		{"name and password cut elsewhere", withBasic, []func(*http.Request){basic("operator:p4ss", "word-of-the-operator")}, 200}, // RFC 7617: the same words on the wire
		{"no name", withBasic, []func(*http.Request){basic("", password)}, 401},
		{"an empty bearer where there is no token", withBasic, []func(*http.Request){bearer("")}, 401},

		{"both, by the token", both, []func(*http.Request){bearer(token)}, 200},
		{"both, by the password", both, []func(*http.Request){basic("operator", password)}, 200},
		{"both, by neither", both, nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testSite(tt.config, today)
			for _, target := range []string{"/status", "/status/app"} {
				got := get(h, request("GET", target, tt.change...))
				if got.Code != tt.want {
					t.Errorf("%s: %d, want %d: %s", target, got.Code, tt.want, got.Body)
				}
				if got.Code == 403 && !strings.Contains(got.Body.String(), "HTTP_BASIC_AUTH") {
					t.Errorf("%s does not say what to set: %s", target, got.Body)
				}
				if challenges := len(got.Header().Values("WWW-Authenticate")); (got.Code == 401) != (challenges > 0) {
					t.Errorf("%s: %d challenges with %d", target, challenges, got.Code)
				}
				if got.Code != 200 && strings.Contains(got.Body.String(), "abcdef") {
					t.Errorf("%s tells: %s", target, got.Body)
				}
			}
			for target, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
				if got := get(h, request("GET", target, tt.change...)); got.Code != want {
					t.Errorf("%s: %d, want %d: %s", target, got.Code, want, got.Body)
				}
			}
		})
	}
}

// A run is asked for with the token and nothing else.
func TestRun(t *testing.T) {
	with := Config{Token: token, User: "operator", Password: password}
	tests := []struct {
		name   string
		config Config
		target string
		change func(*http.Request)
		want   int
		body   string
	}{
		{"a run", with, "/run/app", bearer(token), 202, `"accepted"`},
		{"of nobody", with, "/run/other", bearer(token), 404, "no job"},
		{"of one that goes on", with, "/run/busy", bearer(token), 409, "goes on"},
		{"of one that cannot", with, "/run/odd", bearer(token), 503, "the program ends"},
		{"of nothing", with, "/run/", bearer(token), 404, ""},
		{"of two", with, "/run/app/more", bearer(token), 404, ""},
		{"without a token", with, "/run/app", func(*http.Request) {}, 401, "Bearer"},
		{"without a token, of nobody", with, "/run/other", func(*http.Request) {}, 401, "Bearer"},
		{"with a wrong one", with, "/run/app", bearer("x" + token), 401, "Bearer"},
		{"with the password", with, "/run/app", basic("operator", password), 401, "Bearer"},
		{"where none is set", Config{User: "operator", Password: password}, "/run/app", basic("operator", password), 403, "HTTP_TOKEN_FILE"},
		{"where none is set, with an empty one", Config{}, "/run/app", bearer(""), 403, "HTTP_TOKEN_FILE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			tt.config.Run = func(job string) error {
				asked = append(asked, job)
				return map[string]error{"app": nil, "busy": ErrRunning, "odd": errors.New("the program ends")}[job]
			}
			run := tt.config.Run
			tt.config.Run = func(job string) error {
				if err := run(job); err != nil || job == "app" {
					return err
				}
				return ErrNoJob
			}
			got := get(testSite(tt.config, today), request("POST", tt.target, tt.change))
			if got.Code != tt.want || !strings.Contains(got.Body.String(), tt.body) {
				t.Errorf("%d %s, want %d %s", got.Code, got.Body, tt.want, tt.body)
			}
			if (got.Code == 401 || got.Code == 403) && len(asked) > 0 {
				t.Errorf("a run was asked for: %q", asked)
			}
			if got.Code == 401 && strings.Contains(got.Header().Get("WWW-Authenticate"), "Basic") {
				t.Error("a password is asked for, which does not do")
			}
		})
	}
	if got := get(testSite(Config{Token: token}, today), request("POST", "/run/app", bearer(token))); got.Code != 503 {
		t.Errorf("where no run can be asked for: %d", got.Code)
	}
}

// Names of jobs are whatever stands between the last slash and the end, in whatever form.
func TestNamesInAddresses(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, tt := range []struct{ target, job string }{
		{"/run/app", "app"},
		{"/run/a%2Fb", "a/b"},
		{"/run/%2e%2e", ".."},
		{"/run/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd", "../../etc/passwd"},
		{"/run/caf%C3%A9%20%F0%9F%90%98", "café 🐘"},
		{"/run/%00", "\x00"},
		{"/run/%FF", "\xff"},
		{"/run/%3Cscript%3E", "<script>"},
		{"/run/%25", "%"},
		{"/run/a+b", "a+b"},
		{"/run/a?b=c", "a"},
		{"/run/" + long, long},
	} {
		var asked string
		h := testSite(Config{Token: token, Run: func(job string) error { asked = job; return nil }}, today)
		got := get(h, request("POST", tt.target, bearer(token)))
		if got.Code != 202 || asked != tt.job {
			t.Errorf("%.50s: %d, asked for %.50q", tt.target, got.Code, asked)
		}
		if strings.Contains(got.Body.String(), "<script>") || !json.Valid(got.Body.Bytes()) {
			t.Errorf("%.50s: %.200s", tt.target, got.Body)
		}
		if got := get(h, request("GET", strings.Replace(tt.target, "/run/", "/status/", 1), bearer(token))); got.Code != 404 && tt.job != "app" {
			t.Errorf("%.50s: %d", tt.target, got.Code)
		}
	}
	h := testSite(Config{Token: token, Run: func(string) error { return ErrNoJob }}, today)
	for _, target := range []string{"/run/..", "/run/../status", "//evil.example/", "/run//app", "/run/./app"} {
		got := get(h, request("POST", target, bearer(token)))
		if to := got.Header().Get("Location"); got.Code == 202 || strings.HasPrefix(to, "//") || strings.Contains(to, "://") {
			t.Errorf("%s: %d, to %s", target, got.Code, to)
		}
	}
}

// Methods that an address does not know are refused, and told which it knows.
func TestMethods(t *testing.T) {
	h := testSite(Config{Token: token, Metrics: http.NotFoundHandler()}, today)
	for target, allow := range map[string]string{
		"/healthz": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/status": "GET, HEAD", "/status/app": "GET, HEAD", "/run/app": "POST",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
			if strings.Contains(allow, method) {
				continue
			}
			got := get(h, request(method, target, bearer(token)))
			if got.Code != 405 || got.Header().Get("Allow") != allow {
				t.Errorf("%s %s: %d, Allow: %s", method, target, got.Code, got.Header().Get("Allow"))
			}
		}
	}
}

// Whatever is answered bears the headers, also where the handler makes a mistake.
func TestHeaders(t *testing.T) {
	h := testSite(Config{Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })}, today)
	for target, code := range map[string]int{"/healthz": 200, "/readyz": 200, "/status": 200, "/metrics": 500, "/nothing": 404, "/run/app": 405, "/run//x": 307} {
		got := get(h, request("GET", target))
		if got.Code != code {
			t.Errorf("%s: %d, want %d", target, got.Code, code)
		}
		for name, value := range headers {
			if got.Header().Get(name) != value {
				t.Errorf("%s: %s: %s", target, name, got.Header().Get(name))
			}
		}
		if strings.Contains(got.Body.String(), "secret") {
			t.Errorf("%s: %s", target, got.Body)
		}
	}
}

// dump is the whole answer.
func dump(w *httptest.ResponseRecorder) string {
	var text strings.Builder
	_ = w.Result().Write(&text)
	return text.String()
}

package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

func TestRedact(t *testing.T) {
	r := newRedactor([]string{"s3cret", "p@ss/w rd", "app", "postgres", "", "longer s3cret"}, "postgres", "app")
	tests := []struct{ in, want string }{
		{"nothing here", "nothing here"},
		{"password s3cret is wrong", "password *** is wrong"},
		{"longer s3cret", "***"},
		{"p@ss/w rd, p%40ss%2Fw+rd, p%40ss%2Fw%20rd", "***, ***, ***"},
		{"dump app: role postgres", "dump app: role postgres"},
		{"rest:https://user:pass@host:8000/path", "rest:https://***@host:8000/path"},
		{"rest:http://user:pa/s@s@host/", "rest:http://***@host/"},
		{`open "sftp://backup@host//srv"`, `open "sftp://***@host//srv"`},
		{"s3:https://minio:9000/bucket", "s3:https://minio:9000/bucket"},
		{"postgres://u:p@one/db and postgres://u:p@two/db", "postgres://***@one/db and postgres://***@two/db"},
		{"/srv/backups", "/srv/backups"},
	}
	for _, tt := range tests {
		if got := r.String(tt.in); got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := (redactor{}).String("https://u:p@host/"); got != "https://***@host/" {
		t.Errorf("the zero redactor gives %q", got)
	}
}

// What honest text may hold by chance is not taken out: that it is missing would tell it.
func TestRedactTellsNothing(t *testing.T) {
	const text = "Fatal: wrong password or no key found, repository 1234 of postgres-app on db17: hunter2 no such file or directory"
	guesses := []string{"wrong", "password", "wrong password", "1234", "postgres-app", "db17", "hunter2", "a", "Fatal", "no such file", "12345678"}
	if got := newRedactor(guesses).String(text); got != text {
		t.Errorf("%s", got)
	}
	for _, secret := range []string{"s3cret", "aZkQpWxY", "correct horse battery", "p@ssw0rd", "x7!", "0123456789abcdef", "ab\ncd\x01"} {
		got := newRedactor([]string{secret}).String("it says " + secret + " and no more")
		if want := len(secret) >= 6; want == strings.Contains(got, secret) {
			t.Errorf("%q: %s", secret, got)
		}
	}
}

// What is learnt later is taken out as well as what was known.
func TestRedactLearns(t *testing.T) {
	r := newRedactor([]string{"first s3cret"})
	shared := r
	shared.learn([]string{"second s3cret"})
	if got := r.String("first s3cret, second s3cret"); got != "***, ***" {
		t.Errorf("%s", got)
	}
}

func TestWithoutCredentials(t *testing.T) {
	for in, want := range map[string]string{
		"/srv/b@ckups": "/srv/b@ckups", "s3:https://minio:9000/bucket": "s3:https://minio:9000/bucket", "sftp:backup@host:/srv": "sftp:backup@host:/srv",
		"rest:https://u:p'a \"ss@host/": "rest:https://***@host/", "rest:https://u:p@ss/w@rd@host/": "rest:https://***@host/", "sftp:u:p@ss@host:/srv": "sftp:***@host:/srv",
		"rest:u:p@host": "rest:***@host", "local:/srv/a:b@c": "local:/srv/a:b@c", "sftp:host:/srv/a@b": "sftp:***@b", "sftp:u:p://x@host:/srv": "sftp:***@host:/srv",
	} {
		if got := withoutCredentials(in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

// A log line holds no secret, wherever it came in, and its times are of the configured zone.
func TestLogIsRedacted(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		cfg := &config{Log: logSettings{Format: format}, zone: mustLoad(t, "Asia/Tokyo"), redact: newRedactor([]string{"s3cret"})}
		log := newLogger(cfg, &out, false)
		log.Error("message with s3cret", "text", "s3cret", "error", errors.New("an s3cret error"), "due", time.Unix(0, 0), slog.Group("group", "text", "s3cret"))
		if got := out.String(); strings.Contains(got, "s3cret") || strings.Count(got, "***") != 4 || !strings.Contains(got, "1970-01-01T09:00:00") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

// A secret on the command line, where none belongs, is not repeated.
func TestCommandLineIsRedacted(t *testing.T) {
	for _, args := range [][]string{
		{"postgres://app:s3cret@db/app"}, {"dump", "PGPASSWORD=s3cret"}, {"dump", "postgres://app:s3cret@db/app"}, {"dump", "--pgpassword=s3cret"}, {"--restic-password", "s3cret"},
	} {
		var stderr bytes.Buffer
		code := (&app{stdout: &stderr, stderr: &stderr}).execute(t.Context(), args)
		if code != exit.Usage || strings.Contains(stderr.String(), "s3cret") || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d\n%s", args, code, stderr.String())
		}
	}
}

package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
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

// A log line holds no secret, wherever it came in, and its times are of the configured zone.
func TestLogIsRedacted(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		cfg := &config{LogFormat: format, zone: mustLoad(t, "Asia/Tokyo"), redact: newRedactor([]string{"s3cret"})}
		log := newLogger(cfg, &out, false)
		log.Error("message with s3cret", "text", "s3cret", "error", errors.New("an s3cret error"), "due", time.Unix(0, 0), slog.Group("group", "text", "s3cret"))
		if got := out.String(); strings.Contains(got, "s3cret") || strings.Count(got, "***") != 4 || !strings.Contains(got, "1970-01-01T09:00:00") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

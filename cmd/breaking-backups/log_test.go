package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

func TestJSONLogShowsText(t *testing.T) {
	var out bytes.Buffer
	text := "del\x7f c1\u009b2J right\u202eleft \U000e0001 日本 \x1b\n"
	slog.New(newHandler(environment{zone: time.UTC}, &out, true, slog.LevelInfo, false)).Warn(text)
	var line struct{ Msg string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Msg != text {
		t.Errorf("%q, %v", line.Msg, err)
	}
	if shown := terminal.VisibleLines(out.String()); shown != out.String() {
		t.Errorf("a terminal would heed what is in %q", out.Bytes())
	}
}

// Nothing that a server says begins a line of the log or reaches the terminal's control, with
// colours or without.
func TestLogShowsText(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		env := environment{zone: time.UTC}
		log := slog.New(newHandler(env, &out, false, slog.LevelInfo, colour))
		hostile := "x\n{\"level\":\"INFO\",\"msg\":\"backup done\"}\x1b[2J\x07\u009b1m" + `\x1b[2J`
		log.Warn(hostile, "value", hostile)
		plain := bytes.Count(out.Bytes(), []byte("\x1b[2J")) + bytes.Count(out.Bytes(), []byte("\x07")) + bytes.Count(out.Bytes(), []byte("\u009b"))
		if bytes.Count(out.Bytes(), []byte("\n")) != 1 || plain != 0 {
			t.Errorf("colour %t: %q", colour, out.String())
		}
	}
}

// A log line holds no secret, wherever it came in, and its times are of the configured zone.
func TestLogIsRedacted(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		cfg := &config{Log: logSettings{Format: format}, zone: tokyo, redact: secret.NewRedactor([]string{"s3cret"})}
		log := newLogger(cfg, &out, false)
		log.Error("message with s3cret", "text", "s3cret", "error", errors.New("an s3cret error"), "due", time.Unix(0, 0), slog.Group("group", "text", "s3cret"))
		if got := out.String(); strings.Contains(got, "s3cret") || strings.Count(got, "***") != 4 || !strings.Contains(got, "1970-01-01T09:00:00") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

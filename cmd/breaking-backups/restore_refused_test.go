package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/progress"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// With --on-error continue each refusal is a line of the log, without secrets, and the summary says
// that not all is there.
func TestContinueTells(t *testing.T) {
	var log, out bytes.Buffer
	redact := secret.NewRedactor([]string{"s3cret"})
	tell := audience.NewTeller(event.Run{}, redact, logListener{log: slog.New(newHandler(environment{redact: redact, zone: time.UTC}, &log, true, slog.LevelInfo, false))}, hint)
	r := &restoration{app: &app{stdout: &out}, tell: tell, tracker: progress.New(nil, nil), opt: restoreOptions{onError: continueOnError}, name: "one.sql", target: dump.Target{Database: "app"}}
	refused := r.hooks().refused
	refused(dump.Refusal{Line: 17, What: "foreign key x of table public.y", Err: errors.New("violates s3cret")})
	refused(dump.Refusal{What: "documents of app.users", Table: "app.users", Rows: 3, Err: errors.New("document failed validation")})
	for i, want := range []string{
		`"level":"ERROR","msg":"the server refuses a part of the dump","line":17,"object":"foreign key x of table public.y","error":"violates ` + redact.String("s3cret") + `"}`,
		`"object":"documents of app.users","missing rows":3,"error":"document failed validation"}`,
	} {
		if line := strings.Split(log.String(), "\n")[i]; !strings.HasSuffix(line, want) || strings.Contains(line, "s3cret") {
			t.Errorf("line %d of the log: %s\nwant … %s", i+1, line, want)
		}
	}
	incomplete := &dump.IncompleteError{Refused: 2, Of: 345, Missing: []dump.Table{{Name: "app.users", Rows: 3}}}
	r.printSummary(1000, time.Second, fmt.Errorf("restore: %w", incomplete))
	const want = "restored one.sql into database app, but for what the server refuses: 1.0 kB in 1s; " // and then the error's own words
	if got := out.String(); got != want+incomplete.Error()+"\n" {
		t.Errorf("summary %q, want %q", got, want)
	}
	if (&restoration{tell: tell, opt: restoreOptions{onError: stopOnError}}).hooks().refused != nil {
		t.Error("a restore that stops at the first error is told of others")
	}
}

package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/stream"
)

// Where there is no bar, the line that says who is waited for says what is built.
func TestLineSaysWhatIsBuilt(t *testing.T) {
	for want, work := range map[string]*dump.Work{
		`"msg":"waiting for the database","since":"30s"}`:                                       nil,
		`"msg":"waiting for the database","since":"1m0s"}`:                                      {What: "statistics", Done: 2, Of: 2},
		`"msg":"waiting for the database","since":"1m30s","builds":"indexes and keys, 3 of 12"`: {What: "indexes and keys", Done: 3, Of: 12},
	} {
		_, since, _ := strings.Cut(want, `"since":"`)
		since, _, _ = strings.Cut(since, `"`)
		waited, err := time.ParseDuration(since)
		mustDo(t, err)
		var log bytes.Buffer
		tell := audience.NewTeller(event.Run{}, secret.NewRedactor(nil), logListener{log: slog.New(newHandler(environment{zone: time.UTC}, &log, true, slog.LevelInfo, false))}, hint)
		r := &restoration{tell: tell}
		if work != nil {
			r.hooks().working(*work)
		}
		r.pipe().Still(stream.Consumer, waited)
		if !strings.Contains(log.String(), want) {
			t.Errorf("want %s in\n%s", want, log.String())
		}
	}
}

package main

import (
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lmittmann/tint"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/output"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/progress"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// defaultLogFile gets the log as well when there is a schedule, provided that its folder is there
// and can be written.
const defaultLogFile = "/backup/cron.log"

// logger is the program's log and what is to be closed after it.
type logger struct {
	*slog.Logger
	json   bool             // stderr gets JSON
	screen *progress.Screen // which stderr is; nil: a bar has no place there
	file   io.Closer
}

// newLogger makes the log that the configuration asks for, with its file if toFile. Everything that
// passes it is redacted.
func newLogger(cfg *config, stderr io.Writer, toFile bool) logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked with the configuration; info otherwise
	l := logger{json: cfg.Log.Format == "json" || cfg.Log.Format != "text" && !terminal.Is(stderr)}
	env := environment{redact: cfg.redact, zone: cfg.zone}
	out := stderr
	if terminal.Is(stderr) && !l.json { // programs that read JSON expect nothing between its lines
		l.screen = progress.NewScreen(stderr)
		out = l.screen
	}
	handler := newHandler(env, out, l.json, level, terminal.Is(stderr))
	var file io.WriteCloser
	var err error
	if toFile {
		file, err = openLogFile(cfg)
	}
	if file != nil {
		l.file = file
		handler = slog.NewMultiHandler(handler, newHandler(env, file, true, level, false))
	}
	l.Logger = slog.New(handler)
	if err != nil { // no reason to go without a backup
		l.Warn("there is no log file", "error", err)
	}
	return l
}

func newHandler(env environment, w io.Writer, json bool, level slog.Level, colour bool) slog.Handler {
	replace := func(_ []string, attr slog.Attr) slog.Attr { return redactAttr(env, attr) }
	if json {
		return slog.NewJSONHandler(terminal.NewJSON(w), &slog.HandlerOptions{Level: level, ReplaceAttr: replace})
	}
	plain := func(groups []string, attr slog.Attr) slog.Attr {
		attr = replace(groups, attr)
		if attr.Value.Kind() == slog.KindString {
			attr.Value = slog.StringValue(visibleInTint(attr.Value.String()))
		}
		return attr
	}
	return tint.NewTextHandler(w, &tint.Options{Level: level, ReplaceAttr: plain, TimeFormat: time.DateTime, NoColor: !colour})
}

// visibleInTint is text for tint, which prints messages as they are, and with colours lets escape
// sequences pass: also those that its own quoting makes of a backslash and x1b.
func visibleInTint(text string) string {
	return strings.ReplaceAll(terminal.Visible(text), `\x1b`, `\u005cx1b`)
}

// redactAttr takes secrets out of a log line's texts, the message among them, and puts its times
// into the zone of the environment.
func redactAttr(env environment, attr slog.Attr) slog.Attr {
	switch value := attr.Value.Any().(type) {
	case string:
		return slog.String(attr.Key, env.redact.String(value))
	case error:
		return slog.String(attr.Key, env.redact.String(value.Error()))
	case time.Time:
		return slog.Time(attr.Key, value.In(env.zone))
	case time.Duration:
		return slog.String(attr.Key, value.Round(time.Millisecond).String())
	}
	return attr
}

// openLogFile opens the log file that is asked for, or with a schedule the default one. The default
// one may be missing: then both results are nil, as they are without a schedule.
func openLogFile(cfg *config) (io.WriteCloser, error) {
	path := cfg.Log.File
	if path == "" && slices.ContainsFunc(cfg.jobs, func(one *config) bool { return one.Schedule.Cron != "" }) {
		path = defaultLogFile
	}
	if path == "" {
		return nil, nil
	}
	file, err := output.OpenLog(path)
	if err != nil && cfg.Log.File == "" {
		return nil, nil
	}
	return file, err
}

func (l logger) close() {
	if l.file != nil {
		l.file.Close()
	}
}

package main

import (
	"context"
	"log/slog"
	"slices"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// logListener writes what happens in a run into the log: for a backup a line at its start and one
// at its end, and what it notes and warns of in between.
type logListener struct {
	log *slog.Logger
	job string // whose lines bear its name, where there are several; else empty
}

// Hear writes the event's line, if it has one. It never fails.
func (l logListener) Hear(_ context.Context, e event.Event) error {
	l.log = l.logOf(e.What)
	switch what := e.What.(type) {
	case event.Begun:
		switch e.Run.Kind {
		case event.Drill, event.Check:
			l.log.Info(string(e.Run.Kind)+" started", "job", e.Run.Job, "repository", e.Run.Repository)
		case event.Backup:
			l.log.Info("backup started", "job", e.Run.Job, "host", e.Run.Host, "repository", e.Run.Repository, "mode", what.Mode)
		}
	case event.Note:
		level := slog.LevelInfo
		if what.Debug {
			level = slog.LevelDebug
		}
		l.log.Log(context.Background(), level, what.Text, pairs(what.Details)...)
	case event.Warning:
		l.log.Warn(what.Text, pairs(what.Details)...)
	case event.Refused:
		l.refused(what)
	case event.Unheard:
		l.log.Error("notification failed", "error", what.Error)
	case event.Ended:
		switch e.Run.Kind {
		case event.Drill, event.Check:
			l.proved(e, what)
		case event.Backup:
			l.ended(e, what)
		}
	}
	return nil
}

// logOf is the log for a line about an event, with the name of the job where the line itself has
// none.
func (l logListener) logOf(what event.What) *slog.Logger {
	var details []event.Detail
	switch what := what.(type) {
	case event.Begun, event.Ended: // which say it
		return l.log
	case event.Note:
		details = what.Details
	case event.Warning:
		details = what.Details
	}
	if l.job == "" || slices.ContainsFunc(details, func(d event.Detail) bool { return d.Key == "job" }) {
		return l.log
	}
	return l.log.With("job", l.job)
}

func (l logListener) refused(what event.Refused) {
	var fields []any
	if what.Line > 0 {
		fields = append(fields, "line", what.Line)
	}
	fields = append(fields, "object", what.What)
	if what.Rows > 0 {
		fields = append(fields, "missing rows", what.Rows)
	}
	l.log.Error("the server refuses a part of the dump", append(fields, "error", what.Error)...)
}

func (l logListener) ended(e event.Event, how event.Ended) {
	fields := []any{"job", e.Run.Job, "duration", e.At.Sub(how.Began)}
	if how.Safe {
		fields = append(
			fields, "snapshot", shortID(how.Snapshot.ID),
			"bytes", how.Snapshot.Bytes, "added", how.Snapshot.Added, "stored", how.Snapshot.Stored,
		)
	}
	if how.Warnings > 0 {
		fields = append(fields, "warnings", how.Warnings)
	}
	if how.Error == "" {
		l.log.Info("backup done", fields...)
		return
	}
	fields = append(fields, "error", how.Error)
	if how.Hint != "" {
		fields = append(fields, "hint", how.Hint)
	}
	if how.Safe {
		l.log.Error("backup done, but not what follows it", fields...)
		return
	}
	l.log.Error("backup failed", fields...)
}

func pairs(details []event.Detail) []any {
	var all []any
	for _, d := range details {
		all = append(all, d.Key, d.Value)
	}
	return all
}

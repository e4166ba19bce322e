package main

import "github.com/breaking-backups/breaking-backups/notify/event"

// proved writes how a drill, or a check of the repository, went.
func (l logListener) proved(e event.Event, how event.Ended) {
	kind := string(e.Run.Kind)
	fields := []any{"job", e.Run.Job, "duration", e.At.Sub(how.Began)}
	if d := how.Drill; d != nil {
		fields = append(fields, "verdict", string(d.Verdict), "snapshot", shortID(d.Snapshot))
		if d.Verdict != event.Untried {
			fields = append(fields, "restore", d.Restore, "tables", d.Tables, "rows", d.Rows, "checks", d.Checks)
		}
	}
	if how.Error == "" {
		l.log.Info(kind+" done", fields...)
		return
	}
	fields = append(fields, "error", how.Error)
	if how.Hint != "" {
		fields = append(fields, "hint", how.Hint)
	}
	text := kind + " failed"
	if d := how.Drill; d != nil && d.Verdict == event.Untried {
		text = "drill could not be tried"
	}
	l.log.Error(text, fields...)
}

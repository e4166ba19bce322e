package schedule

import "time"

// Timetable is when a job's backups are due.
type Timetable struct {
	Times  Times         // nil: once, now
	AtOnce bool          // begin with a run, from which an interval is counted
	Prompt bool          // that run begins without jitter
	Jitter time.Duration // a run begins up to so much after it is due, and before the next one is
}

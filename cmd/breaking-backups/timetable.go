package main

import "time"

// timetable is when a job's backups are due.
type timetable struct {
	schedule schedule      // nil: once, now
	atOnce   bool          // begin with a run, from which an interval is counted
	prompt   bool          // that run begins without jitter
	jitter   time.Duration // a run begins up to so much after it is due, and before the next one is
}

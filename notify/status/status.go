// Package status is what is known of all jobs of a process: a board, on which the events of their
// runs are put down, and what the repository told at the start. Health, metrics and the page ask
// it.
//
// It owns what of that is remembered, for how long, and what makes a job healthy. It knows no
// database, no restic and no HTTP. What it gives away are copies.
package status

import (
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// A Job is what a process knows of a job before anything of it runs.
type Job struct {
	Name       string // the jobs of a process have different ones
	Host       string // that its snapshots bear
	DBType     string // as DB_TYPE says it
	Repository string // where it is, without credentials
	Database   string // what is dumped, for people; may be empty

	// Plans are what is done by schedule, by what it is: backups, drills, checks. What has none is
	// done by hand alone, and nothing can be said of its freshness.
	Plans map[event.Kind]Plan

	// Parent is the job that stands for all databases of a server of which this one's is one;
	// empty: it is none such.
	Parent string

	// PerDatabase tells that the job stands for all databases of a server: jobs of its own are
	// added for these as they are found.
	PerDatabase bool
}

// A Plan is when something is due.
type Plan struct {
	Text   string                    // for people: "30 2 * * * (Europe/Amsterdam)", "every 1h"
	Next   func(time.Time) time.Time // the first moment after another at which it is due
	Jitter time.Duration             // how much later it may begin, but before it is due once more
	Grace  time.Duration             // how much later it may have succeeded; 0: see Health
}

// A Backup is a snapshot of a job.
type Backup struct {
	ID       string
	At       time.Time // restic's time of the snapshot: when its run began to store
	Bytes    uint64    // of the dump
	Added    uint64    // bytes that the repository grew by, before compression
	Stored   uint64    // and after it
	Duration time.Duration
	Empty    bool // the dump holds nothing, and was meant to

	// What it holds, once that is known. Tables are those of the newest ten at most, the largest
	// 10,000 of each and 20,000 of a job; nil: not known, or no longer.
	Described bool
	Count     int // of tables
	Rows      int64
	Tables    []event.Table
}

// A Run is one that goes on or has ended.
type Run struct {
	Kind  event.Kind
	Began time.Time
	Ended time.Time // zero: it goes on

	// How far it is; once it has ended, how far it came.
	Phase  event.PhaseName
	Table  string  // the last whose rows have passed
	Passed int64   // bytes, in this phase
	Total  int64   // bytes that will have passed; 0: nobody knows
	About  bool    // Total is an estimate
	Rate   float64 // bytes a second, of late

	Waited   time.Duration // for its turn at the repository, before it began
	Warned   int           // how many warnings there were
	Warnings []string      // the first fifty different ones; of the last five runs only
	Error    string        // why it failed; empty: it did not, or goes on
	Hint     string

	Interrupted bool // by a signal: nobody's fault
	Safe        bool // of a backup that has ended: its snapshot is there to stay
	Snapshot    string
	Phases      map[event.PhaseName]time.Duration // what each took
	Drill       *event.Drilled
}

// A Drill is one that has ended, of this process or as the repository tells.
type Drill struct {
	At time.Time // when it ended
	event.Drilled
}

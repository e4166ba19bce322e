// Package event is what happens in a run, in plain values: what a backup or a restore tells, and
// what the log, the webhook and whoever else listens hear.
//
// It owns the form of the events and what may be relied on of their order. When one happens is the
// run's to say, what to make of it a listener's. It knows no database, no restic and no log. Texts
// hold no secrets: who emits takes them out.
package event

import "time"

// Run is what all events of one run have in common.
type Run struct {
	Kind Kind

	Job        string // its name
	Host       string // the host that its snapshots bear
	DBType     string // as DB_TYPE says it
	Repository string // where it is, without credentials; empty: there is none
	Tags       []string
}

// Kind is what a run does.
type Kind string

// The kinds of runs. Other commands tell notes and warnings, and neither begin nor end for a
// listener.
const (
	Backup  Kind = "backup"
	Restore Kind = "restore"
	Drill   Kind = "drill" // a snapshot is restored into a scratch database, held against its manifest, and dropped
	Check   Kind = "check" // restic check: the repository's structure, and what is asked for of its data
)

// Event is one thing that has happened.
//
// The first of a run is Begun, unless it fails before it can begin, and the last is Ended, in any
// case; neither comes twice. All others may come any number of times, from whatever goroutine, one
// after the other.
type Event struct {
	Run  Run
	At   time.Time
	What What
}

// What is one of the types of this package that are made for it.
type What interface{ what() }

// Begun says that a run has begun.
type Begun struct {
	Mode string // of a backup: auto, stream or spool
}

// Phase is what a run does from now on. Where a dump is begun anew, so is its phase: the tables and
// bytes that were told of the one before no longer count.
type Phase struct {
	Name      PhaseName
	Total     int64 // bytes that will have passed at its end; 0: nobody knows
	Estimated bool  // Total may be far off
}

// PhaseName is a phase in one word.
type PhaseName string

// The phases. Not every run has each.
const (
	Survey   PhaseName = "survey" // the database is asked what it is and whether it holds anything
	Dump     PhaseName = "dump"   // rows are read, and stored as they come
	Spool    PhaseName = "spool"  // rows are read into a file
	Store    PhaseName = "store"  // the file is stored
	Forget   PhaseName = "forget" // the policy of retention is applied
	Verify   PhaseName = "verify" // a dump is read to its end before anything is changed
	Load     PhaseName = "load"   // a dump is put into a database
	Prune    PhaseName = "prune"  // data that no snapshot needs is removed
	Read     PhaseName = "read"   // of a drill: the restored rows are read back
	Ask      PhaseName = "ask"    // of a drill: the user's checks
	Checking PhaseName = "check"  // restic check
)

// Table says that all rows of a table, or documents of a collection, have passed into the dump. One
// may be missed while the log stands still. A dump that is tried once more tells them anew, behind
// another Phase.
type Table struct {
	Name string // qualified, for people
	Rows int64
}

// Bytes is how much of the dump has passed since its phase began. It is told once a second at most.
type Bytes struct{ Passed int64 }

// Retried says that a part of a run is tried once more, for whatever reason a Warning beside it
// tells.
type Retried struct{}

// Awaited says that the run waits for another's lock of the repository.
type Awaited struct{}

// Spooled says that a dump, or the rest of one, went over the disk.
type Spooled struct{ Bytes, Stored int64 }

// Kept is what there is of the job's snapshots once the policy of retention was applied, or they
// were looked at.
type Kept struct {
	Snapshots      int
	Oldest, Newest time.Time // zero without a snapshot; of those that are not of the future
}

// Compared is what of a restored dump was as it says of itself.
type Compared struct {
	Tables int
	Rows   int64
}

// Note is something for people that is nobody's fault.
type Note struct {
	Text    string
	Details []Detail
	Debug   bool // only of use to who looks for a fault
}

// Warning is something that a person ought to look at, though the run goes on.
type Warning struct {
	Text    string
	Details []Detail
}

// Detail is a fact beside a text. Its value is a string, a number, a bool, a [time.Time] or a
// [time.Duration].
type Detail struct {
	Key   string
	Value any
}

// Refused is something of a dump that the server has not taken, in a restore that goes on all the
// same.
type Refused struct {
	Line  int    // of the dump, from 1; 0: it has no lines
	What  string // for people
	Rows  int64  // that are missing for it
	Error string // the server's words
}

// Unheard says that a listener could not do with an event what it is there for. That is told to the
// log alone.
type Unheard struct{ Error string }

// Ended is how a run went. At is when it ended.
type Ended struct {
	Began    time.Time
	Snapshot Snapshot
	Safe     bool   // of a backup: the snapshot is there to stay, and what failed, if anything did, comes after it
	Warnings int64  // of the dump that was stored, or of the load
	Error    string // why it failed; empty: it did not
	Hint     string // what a person can do about that; may be empty
	ExitCode int    // of the program, if it ended with this run

	Tables []Table // of a backup whose snapshot is safe: all that the dump holds, as its manifest says
	Drill  *Drilled
}

// Drilled is the result of a drill.
type Drilled struct {
	Verdict  Verdict
	Snapshot string        // its ID; empty: none was found
	Of       time.Time     // when that was made
	Restore  time.Duration // what the restore took, from the first byte asked for to the last statement done
	Bytes    int64         // of the dump
	Tables   int           // held against the manifest
	Rows     int64
	Checks   int      // the user's, that were asked
	Wrong    []string // what was not as it should be, a sentence each; no more than twenty
}

// Verdict is a drill's result in one word.
type Verdict string

// The verdicts. A drill that could not be tried says nothing of the snapshot.
const (
	Proven  Verdict = "proven"
	Wrong   Verdict = "wrong"
	Untried Verdict = "untried"
)

// Snapshot is what restic said of the one that was made. It is zero where none was.
type Snapshot struct {
	ID       string
	Bytes    uint64        // of the dump
	Added    uint64        // bytes that the repository grew by before compression
	Stored   uint64        // and after it
	Duration time.Duration // by restic's own count

	FilesNew, FilesChanged, FilesUnmodified uint64
}

func (Begun) what()    {}
func (Phase) what()    {}
func (Table) what()    {}
func (Bytes) what()    {}
func (Retried) what()  {}
func (Awaited) what()  {}
func (Spooled) what()  {}
func (Kept) what()     {}
func (Compared) what() {}
func (Note) what()     {}
func (Warning) what()  {}
func (Refused) what()  {}
func (Unheard) what()  {}
func (Ended) what()    {}

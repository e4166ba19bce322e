package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// evidence is what a drill has found, as verify --json writes it and as it is kept in the
// repository. Its form is an interface: fields are added and never change what they mean.
type evidence struct {
	Program    string        `json:"program"` // with its version
	Job        string        `json:"job"`
	Host       string        `json:"host"`
	DBType     string        `json:"dbType"`
	Repository string        `json:"repository"` // without credentials
	Verdict    event.Verdict `json:"verdict"`
	Error      string        `json:"error,omitempty"` // why it is not proven

	Snapshot      string    `json:"snapshot"`
	SnapshotTime  time.Time `json:"snapshotTime"`
	SnapshotBytes uint64    `json:"snapshotBytes"`

	Began          time.Time `json:"began"`
	Ended          time.Time `json:"ended"`
	RestoreSeconds float64   `json:"restoreSeconds"` // what a restore takes, from the first byte to the last statement
	RestoredBytes  int64     `json:"restoredBytes"`
	Server         string    `json:"server"` // that it was restored to
	Into           []string  `json:"databases"`

	Tables   []provenTable `json:"tables"`
	Checks   []answered    `json:"checks"`
	Warnings []string      `json:"warnings"` // of the restore and of the reading back, the first fifty: what was left out, say
}

// provenTable is one table as the dump's manifest says it, and as it was read back.
type provenTable struct {
	Database string        `json:"database,omitempty"` // of a dump of several
	Name     string        `json:"name"`
	Manifest *tableContent `json:"manifest"` // nil: it is not in the dump
	Copy     *tableContent `json:"copy"`     // nil: it is not in the copy
	Same     bool          `json:"same"`
}

type tableContent struct {
	Rows int64  `json:"rows"`
	Hash string `json:"hash"` // of all rows in any order
}

// answered is a question of the user's, and what came of it.
type answered struct {
	Question string `json:"question"`
	Want     string `json:"want,omitempty"` // empty: true
	Got      string `json:"got"`
	Error    string `json:"error,omitempty"`
	Right    bool   `json:"right"`
}

func newEvidence(j job) evidence {
	return evidence{
		Program: "breaking-backups " + programVersion(), Job: j.name, Host: j.host, DBType: j.dbType, Repository: j.store.shown,
		Began: time.Now().UTC(), Into: []string{}, Tables: []provenTable{}, Checks: []answered{}, Warnings: []string{},
	}
}

// of notes which snapshot the evidence is of.
func (e *evidence) of(s restic.Snapshot) {
	e.Snapshot, e.SnapshotTime, e.SnapshotBytes = s.ID, s.Time.UTC(), s.Summary.TotalBytesProcessed
}

// restored notes what a restore took, of one database or of several one after the other.
func (e *evidence) restored(took time.Duration, bytes int64) {
	e.RestoreSeconds += took.Round(time.Millisecond).Seconds()
	e.RestoredBytes += bytes
}

// compared notes what each table is in the dump and in the copy.
func (e *evidence) compared(database string, said, copied dump.Manifest) {
	different := said.Differences(copied)
	of := map[string][]dump.Difference{}
	for _, d := range different {
		if d.Kind != dump.ExtraTable {
			of[d.Table] = append(of[d.Table], d)
		}
	}
	content := func(rows int64, hash uint64) *tableContent { return &tableContent{rows, fmt.Sprintf("%016x", hash)} }
	for _, t := range said {
		proven := provenTable{Database: database, Name: t.Name, Manifest: content(t.Rows, t.Hash), Same: true}
		proven.Copy = proven.Manifest
		if next := of[t.Name]; len(next) > 0 && next[0].Want == (dump.Tally{Rows: t.Rows, Hash: t.Hash}) {
			of[t.Name] = next[1:]
			proven.Same, proven.Copy = false, nil
			if d := next[0]; d.Kind != dump.MissingTable {
				proven.Copy = content(d.Have.Rows, d.Have.Hash)
			}
		}
		e.Tables = append(e.Tables, proven)
	}
	for _, d := range different {
		if d.Kind == dump.ExtraTable {
			e.Tables = append(e.Tables, provenTable{Database: database, Name: d.Table, Copy: content(d.Have.Rows, d.Have.Hash)})
		}
	}
}

// mostWarnings is how many warnings are evidence.
const mostWarnings = 50

// warned notes a warning.
func (e *evidence) warned(text string) {
	if len(e.Warnings) < mostWarnings {
		e.Warnings = append(e.Warnings, text)
	}
}

// A wrongError is what a drill has found to be other than it ought to be, a sentence each.
type wrongError struct{ what []string }

func (e *wrongError) Error() string {
	if len(e.what) == 1 {
		return "drill: " + e.what[0]
	}
	return fmt.Sprintf("drill: %s, and %d more that is wrong", e.what[0], len(e.what)-1)
}

// wrong is what the evidence says that is not as it should be, or nil.
func (e *evidence) wrong() error {
	if what := e.sentences(); len(what) > 0 {
		return &wrongError{what}
	}
	return nil
}

func (e *evidence) sentences() []string {
	var all []string
	for _, t := range e.Tables {
		of := ""
		if t.Database != "" {
			of = " of database " + t.Database
		}
		switch {
		case t.Same:
		case t.Copy == nil:
			all = append(all, fmt.Sprintf("table %s%s with %d rows is not in the copy", t.Name, of, t.Manifest.Rows))
		case t.Manifest == nil:
			all = append(all, fmt.Sprintf("table %s%s is in the copy with %d rows, and not in the dump", t.Name, of, t.Copy.Rows))
		case t.Copy.Rows != t.Manifest.Rows:
			all = append(all, fmt.Sprintf("table %s%s has %d rows in the copy, the dump's manifest says %d", t.Name, of, t.Copy.Rows, t.Manifest.Rows))
		default:
			all = append(all, fmt.Sprintf("table %s%s has other rows in the copy than the dump's manifest says", t.Name, of))
		}
	}
	for _, c := range e.Checks {
		switch {
		case c.Right:
		case c.Error != "":
			all = append(all, fmt.Sprintf("the check %q has no answer: %s", c.Question, c.Error))
		case c.Want == "":
			all = append(all, fmt.Sprintf("the check %q gives %q, and not true", c.Question, c.Got))
		default:
			all = append(all, fmt.Sprintf("the check %q gives %q, and not %q", c.Question, c.Got, c.Want))
		}
	}
	return all
}

// end notes how the drill went.
func (e *evidence) end(known secret.Redactor, err error) {
	e.Ended = time.Now().UTC()
	switch {
	case err == nil:
		e.Verdict = event.Proven
		return
	case errors.As(err, new(exit.UntriedError)):
		e.Verdict = event.Untried
	default:
		e.Verdict = event.Wrong
	}
	e.Error = known.String(err.Error())
}

// drilled is the evidence as listeners hear it.
func (e *evidence) drilled() *event.Drilled {
	const most = 20
	wrong := e.sentences()
	d := &event.Drilled{
		Verdict: e.Verdict, Snapshot: e.Snapshot, Of: e.SnapshotTime, Restore: time.Duration(e.RestoreSeconds * float64(time.Second)),
		Bytes: e.RestoredBytes, Tables: len(e.Tables), Checks: len(e.Checks), Wrong: wrong[:min(len(wrong), most)],
	}
	for _, t := range e.Tables {
		if t.Copy != nil {
			d.Rows += t.Copy.Rows
		}
	}
	return d
}

package dumptest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Drills describes how an engine makes databases for drills, to be held to what dump.Scratch
// promises: a copy is made, loaded, read back, asked and dropped; what a killed drill has left is
// dropped by the next, and nothing else is.
type Drills struct {
	Stream []byte // a dump of one database, of which all is to come back
	// Contents reads a dump's manifest from its end. nil means dump.ReadContents.
	Contents func(t *testing.T, stream []byte) *dump.Contents
	TablesOf func(m dump.Manifest, database string) dump.Manifest

	// By are the roles that drills are made as, one of which has no more rights than it needs.
	By map[string]Driller
	// Prefixes are what names may begin with, hostile ones too.
	Prefixes []string

	Databases func(t *testing.T) []string           // all on the server
	Make      func(t *testing.T, name string)       // makes a database as somebody else does, with something in it
	Gone      func(t *testing.T, name string)       // drops it
	Kill      func(s dump.Scratch, name string)     // has a drill's sessions end as they do when it is killed
	Answers   map[string]string                     // by question
	Refused   []string                              // questions that have no answer: wrong ones, and what writes
	Sleeps    string                                // a question that takes a minute; empty: the server has none
	Unchanged func(t *testing.T, name string) error // that what Refused would have changed is as it was
}

// A Driller makes drills as one role.
type Driller struct {
	Scratch func(t *testing.T, prefix string) dump.Scratch
	Loader  func(t *testing.T, database string) dump.Loader
	Source  func(t *testing.T, database string) dump.Source
}

// RunDrills runs the suite.
func RunDrills(t *testing.T, d Drills) {
	if d.Contents == nil {
		d.Contents = readContents
	}
	for role, by := range d.By {
		for i, prefix := range d.Prefixes {
			if i > 0 && role != "all" {
				continue
			}
			t.Run("by "+role+" as "+prefix, func(t *testing.T) { d.drill(t, by, prefix) })
		}
		t.Run("sweep by "+role, func(t *testing.T) { d.sweep(t, by) })
	}
}

// drill makes a drill as verify does.
func (d Drills) drill(t *testing.T, by Driller, prefix string) {
	s := by.Scratch(t, prefix)
	defer s.Close()
	name := d.create(t, s, prefix)
	defer s.Drop(context.WithoutCancel(t.Context()), name) // where it comes to no end
	if err := by.Loader(t, name).Load(t.Context(), bytes.NewReader(d.Stream)); err != nil {
		t.Fatalf("load: %v", err)
	}
	var copied bytes.Buffer
	if err := by.Source(t, name).Dump(t.Context(), &copied); err != nil {
		t.Fatalf("read back: %v", err)
	}
	want, have := d.TablesOf(d.Contents(t, d.Stream).Tables, ""), d.TablesOf(d.Contents(t, copied.Bytes()).Tables, "")
	if len(want) == 0 || want.Rows() == 0 {
		t.Fatalf("the tables of the dump: %v, of the copy: %v", want, have)
	}
	for _, different := range want.Differences(have) {
		t.Error(different)
	}
	d.asks(t, s, name)
	if err := s.Drop(t.Context(), name); err != nil {
		t.Fatalf("drop: %v", err)
	}
	if slices.Contains(d.Databases(t), name) {
		t.Errorf("%s is still there", name)
	}
	if err := s.Drop(t.Context(), name); err == nil {
		t.Error("it is dropped a second time")
	}
}

// create makes a database, and reports what is wrong with its name.
func (d Drills) create(t *testing.T, s dump.Scratch, prefix string) string {
	t.Helper()
	name, err := s.Create(t.Context(), d.Stream[:min(len(d.Stream), 16<<10)])
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	if got, made, ok := dump.ParseScratchName(name); !ok || got != prefix || time.Since(made).Abs() > time.Hour {
		t.Errorf("%q is no name of a drill's", name)
	}
	return name
}

// asks asks a copy questions.
func (d Drills) asks(t *testing.T, s dump.Scratch, name string) {
	t.Helper()
	for question, want := range d.Answers {
		if got, err := s.Check(t.Context(), name, question); err != nil || got != want {
			t.Errorf("%s: %q, %v, want: %q", question, got, err, want)
		}
	}
	isQuestions := func(err error) bool { return errors.As(err, new(*dump.QuestionError)) }
	for _, question := range d.Refused {
		if got, err := s.Check(t.Context(), name, question); !isQuestions(err) {
			t.Errorf("%s: %q, %v, want a refusal", question, got, err)
		}
	}
	if err := d.Unchanged(t, name); err != nil {
		t.Error(err)
	}
	if d.Sleeps != "" {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if got, err := s.Check(ctx, name, d.Sleeps); !isQuestions(err) {
			t.Errorf("%s: %q, %v, want an end", d.Sleeps, got, err)
		}
		if took := time.Since(began); took > prompt {
			t.Errorf("%s: it ended after %s", d.Sleeps, took)
		}
	}
	for _, other := range []string{"", strings.TrimSuffix(name, name[len(name)-1:]), "postgres", "mysql", "admin"} {
		for question := range d.Answers {
			if got, err := s.Check(t.Context(), other, question); err == nil {
				t.Errorf("%q, which it has not made, answers %s with %q", other, question, got)
			}
		}
	}
}

// sweep makes drills that end in several ways, and databases that look like theirs.
func (d Drills) sweep(t *testing.T, by Driller) {
	prefix := d.Prefixes[0]
	s, living, killed := by.Scratch(t, prefix), by.Scratch(t, prefix), by.Scratch(t, prefix)
	defer s.Close()
	fill := func(of dump.Scratch) string {
		name := d.create(t, of, prefix)
		if err := by.Loader(t, name).Load(t.Context(), bytes.NewReader(d.Stream)); err != nil {
			t.Fatalf("load: %v", err)
		}
		return name
	}
	mine, lives, left := fill(s), fill(living), fill(killed)
	d.Kill(killed, left)
	killed.Close()
	human := []string{prefix + "mine", left + "_old", prefix + "20260101000000_0123456789abcdef"}
	for _, name := range human {
		d.Make(t, name)
		defer d.Gone(t, name)
	}
	before := d.Databases(t)
	want := []string{left}
	dropped, err := s.Sweep(t.Context())
	if err != nil || !slices.Equal(dropped, want) {
		t.Errorf("swept %q, %v, want: %q", dropped, err, want)
	}
	before = slices.DeleteFunc(before, func(name string) bool { return name == left })
	if now := d.Databases(t); !slices.Equal(now, before) {
		t.Errorf("there are %q, and were %q", now, before)
	}
	if dropped, err := s.Sweep(t.Context()); err != nil || len(dropped) > 0 {
		t.Errorf("swept again %q, %v", dropped, err)
	}
	other := by.Scratch(t, "another_")
	if dropped, err := other.Sweep(t.Context()); err != nil || len(dropped) > 0 {
		t.Errorf("under another prefix: %q, %v", dropped, err)
	}
	other.Close()
	if err := errors.Join(s.Drop(t.Context(), mine), living.Drop(t.Context(), lives), living.Close()); err != nil {
		t.Error(err)
	}
}

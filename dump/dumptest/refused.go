package dumptest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A Refusing is a database of which its own server does not take everything back.
type Refusing[D any] struct {
	Fill func(t *testing.T, db D)
	// Lack takes from the server what db's dump needs, until the test is over. nil: the server
	// lacks nothing, and refuses all the same.
	Lack func(t *testing.T, db D)
	// Missing are the tables that then lack rows, with how many these are, and Refused is the
	// number of statements that fail.
	Missing []dump.Table
	Refused int
}

// goesOn loads what the server refuses in part: all else is there, and what is missing is told.
func (s Suite[D]) goesOn(t *testing.T) {
	db := s.New(t)
	s.Refusing.Fill(t, db)
	stream := s.dump(t, db, 1, nil)
	if s.Refusing.Lack != nil {
		s.Refusing.Lack(t, db)
	}
	restored := s.Twin(t, db)
	stops := s.loader(t, restored, Options{Jobs: 1}).Load(t.Context(), bytes.NewReader(stream))
	if stops == nil || errors.As(stops, new(*dump.IncompleteError)) || !errors.As(stops, new(*dump.PartialError)) {
		t.Errorf("a load that does not go on: %v", stops)
	}
	for _, jobs := range spread {
		t.Run(fmt.Sprintf("%d connections", jobs), func(t *testing.T) { s.goesOnBy(t, restored, jobs, stream) })
	}
}

func (s Suite[D]) goesOnBy(t *testing.T, restored D, jobs int, stream []byte) {
	var told []dump.Refusal
	err := s.loader(t, restored, Options{Jobs: jobs, Clean: true, Refused: func(r dump.Refusal) { told = append(told, r) }}).Load(t.Context(), bytes.NewReader(stream))
	var incomplete *dump.IncompleteError
	var partial *dump.PartialError
	if !errors.As(err, &incomplete) || !errors.As(err, &partial) || partial.Left != dump.AllElse {
		t.Fatalf("error %v, told %+v", err, told)
	}
	byName := func(a, b dump.Table) int { return cmp.Compare(a.Name, b.Name) }
	missing := map[string]int64{}
	for _, table := range incomplete.Missing {
		missing[table.Name] = table.Rows
	}
	if want := slices.SortedFunc(slices.Values(s.Refusing.Missing), byName); !slices.EqualFunc(want, slices.SortedFunc(slices.Values(incomplete.Missing), byName), func(a, b dump.Table) bool { return a.Name == b.Name && a.Rows == b.Rows }) {
		t.Errorf("rows are missing of %v, want %v", incomplete.Missing, want)
	}
	if incomplete.Refused != s.Refusing.Refused || incomplete.Of <= incomplete.Refused {
		t.Errorf("%d of %d statements failed, want %d: %+v", incomplete.Refused, incomplete.Of, s.Refusing.Refused, told)
	}
	sum := map[string]int64{}
	for _, r := range told {
		if r.What == "" || r.Err == nil {
			t.Errorf("told of %+v", r)
		}
		if r.Table != "" {
			sum[r.Table] += r.Rows
		}
	}
	for name, rows := range missing {
		if sum[name] != rows {
			t.Errorf("told of %d missing rows of %s, and in the end of %d", sum[name], name, rows)
		}
	}
	there := s.tables(t, restored)
	for _, want := range s.Contents(t, stream).Tables {
		if got := there[want.Name]; missing[want.Name] == 0 {
			s.equalRows(t, want, got)
		} else if got.Rows != want.Rows-missing[want.Name] {
			t.Errorf("%s has %d rows of %d, of which %d are said to be missing", want.Name, got.Rows, want.Rows, missing[want.Name])
		}
	}
	s.noSessions(t, restored)
}

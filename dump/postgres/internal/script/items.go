package script

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Items reads a dump of this program as a sequence of items, and vouches for it: see dump.Item. The
// head comes first, whatever comes behind it; then a statement is an item, and so are the rows of a
// COPY, which are in memory a block at a time, and a \connect (see IsConnect). Of comments there is
// what they say: in the head, in an item's Kind, in the contents.
//
// The rows of a partition that are loaded into what it is a part of are told to be that table's: a
// dump does not say before them whose they are. Its manifest does, at the end, where the tables are
// in the order of the items of rows, one for each.
//
// A sequence reads r while it is asked for an item or for rows, and does not close it. Whoever
// breaks off while another goroutine still reads rows closes r, or that goroutine goes on as long
// as r lets it wait.
func Items(r io.Reader) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		vouched, form, err := dump.NewReader(r)
		if err == nil && !slices.Contains([]string{OneDatabase, RowsAlone, Cluster}, form) {
			err = fmt.Errorf("this is a dump of %s, not of %s", form, OneDatabase)
		}
		if err != nil {
			yield(dump.Item{}, err)
			return
		}
		s := itemizer{script: NewReader(vouched), kind: dump.Definitions}
		item, err := s.next() // behind the comments that the head is in
		if !yield(dump.Item{Head: &dump.Head{Form: form, Databases: s.databases}}, nil) {
			return
		}
		for ; err == nil; item, err = s.next() {
			if !yield(item, nil) {
				return
			}
		}
		if err == io.EOF {
			var contents *dump.Contents
			if contents, err = s.manifest.contents(); err == nil {
				yield(dump.Item{Contents: contents}, nil)
				return
			}
		}
		yield(dump.Item{}, err)
	}
}

// IsConnect tells whether an item's text is a \connect, by which the dump goes on in the item's
// Database: in a new session, in which nothing is set. It is psql's command and no statement.
func IsConnect(text string) bool { return strings.HasPrefix(text, connect) }

// connect begins a \connect. No statement begins with a backslash, which psql takes for a command.
const connect = `\connect `

// An itemizer is one reading of Items.
type itemizer struct {
	script    *Reader
	begun     bool      // a statement or a \connect has come
	databases []string  // named before that
	names     int       // bytes of them
	kind      dump.Kind // of a statement that comes next
	created   string    // the database that was made last, as the dump writes its name
	database  string    // that the statements are for
	prefix    string    // of its tables' names in the manifest
	sorted    bool      // the rows of a COPY that comes next, says the comment before it
	filled    int       // COPYs and \connects so far
	manifest  manifest
}

// next returns the next item; io.EOF: there are no more.
func (s *itemizer) next() (dump.Item, error) {
	for {
		item, err := s.script.Next()
		switch {
		case err != nil:
			return dump.Item{}, err
		case item.Kind == Comment:
			s.note(item)
			continue
		case !s.begun && s.manifest.damaged != nil:
			return dump.Item{}, s.manifest.damaged
		}
		s.begun, s.manifest = true, manifest{}
		if item.Kind == Connect {
			return s.connect(item), nil
		}
		return s.item(item), nil
	}
}

// mostNames bounds the names of databases in a head, in bytes: two hundred thousand databases have
// no more.
const mostNames = 16 << 20

// note takes from a comment what it says, if it says it in its place: databases are named before
// the first statement.
func (s *itemizer) note(comment Item) {
	switch comment.Text {
	case "-- " + AfterRowsMark, "-- " + PrivilegesMark:
		s.kind = dump.AfterRows
		return
	case "-- " + ByKeyMark:
		s.sorted = true
		return
	}
	name, ok, err := parseDatabaseLine(comment.Text)
	switch {
	case !ok:
		s.manifest.add(comment, s.filled)
	case s.begun:
	case err != nil:
		s.manifest.spoil(comment.Line, err)
	case s.names+len(name) > mostNames:
		s.manifest.spoil(comment.Line, fmt.Errorf("the names of more than %d databases", len(s.databases)))
	default:
		s.databases = append(s.databases, name)
		s.names += len(name)
	}
}

// connect turns to another database.
func (s *itemizer) connect(item Item) dump.Item {
	name := item.Text
	if s.created != "" {
		name = s.created // which other names are quoted the server alone knows
	}
	s.database, s.prefix, s.created, s.kind = item.Text, name+".", "", dump.Definitions
	s.sorted = false
	s.filled++
	return dump.Item{Kind: dump.Definitions, Database: item.Text, Line: item.Line, Text: ConnectCommand(item.Text)}
}

// item is that of a statement, or of rows.
func (s *itemizer) item(item Item) dump.Item {
	it := dump.Item{Kind: s.kind, Database: s.database, Line: item.Line, Text: item.Text}
	sorted := s.sorted
	s.sorted = false
	switch {
	case item.Kind == Copy:
		it.Kind, it.Table, it.Blocks, it.Pieces, it.Split = dump.Rows, s.prefix+copied(item.Text), item.Data.Blocks(), item.Data.Pieces(), splitLines
		it.Sorted = sorted
		s.kind = dump.AfterRows
		s.filled++
	case strings.HasPrefix(item.Text, "SELECT pg_catalog.lo_put("):
		it.Kind, s.kind = dump.Objects, dump.AfterRows
	case strings.HasPrefix(item.Text, "CREATE DATABASE "):
		t := NewTokens(item.Text)
		t.Next()
		t.Next()
		s.created, it.Kind = t.Next(), dump.Definitions
	}
	return it
}

// copied is the table of a COPY, as it stands there.
func copied(statement string) string {
	t := NewTokens(statement)
	t.Next()
	name := t.Next()
	for next := t.Next(); next == "."; next = t.Next() {
		name += "." + t.Next()
	}
	return name
}

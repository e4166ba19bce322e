// Package items reads a dump as a sequence of items, see dump.Item: one that this program made, or
// one of mysqldump and mariadb-dump. It vouches for the dump, and knows what stands where in it:
// what its comments say, where one table's rows end, and by which lines a whole dump is known.
//
// Text is parted into statements by package script, and what this program's comments say is in
// package note. Nothing is run here, and no server is asked: in which sql_mode a statement is read
// is what the dump has set before it.
package items

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Read reads a dump of this program. A statement is an item, one in a comment that no client runs
// among them. INSERTs into one table that follow each other are one item, of which each is a block,
// and Text is what the first of them has before its rows.
func Read(r io.Reader) iter.Seq2[dump.Item, error] {
	return sequence(func() (*reading, error) { return readNative(r) })
}

// ReadAny reads a dump of this program as Read does, or one of mysqldump or mariadb-dump. Of the
// latter the Head has no form, the manifest at the end is empty, and an INSERT or REPLACE is a
// block of rows.
func ReadAny(r io.Reader) iter.Seq2[dump.Item, error] {
	return sequence(func() (*reading, error) {
		r, tool, err := sniff(r)
		switch {
		case err != nil:
			return nil, err
		case tool != "":
			return readTool(r, tool), nil
		}
		return readNative(r)
	})
}

func sequence(begin func() (*reading, error)) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		s, err := begin()
		if err != nil {
			yield(dump.Item{}, err)
			return
		}
		for {
			item, err := s.next()
			if !yield(item, err) || err != nil || item.Contents != nil {
				return
			}
		}
	}
}

// A reading is one dump under way.
type reading struct {
	script   *script.Reader
	form     form
	head     dump.Head
	reads    script.Mode // how the dump's server reads text, but for the session's sql_mode
	unlike   script.Mode // what of that the dump's maker does not
	session  script.SessionMode
	named    bool         // the head was given out
	begun    bool         // a statement has come
	kind     dump.Kind    // of a statement that comes next
	database string       // that the statements are for
	table    string       // the last one with rows, as it stands there, quoted
	filling  bool         // what comes next may be more rows of table
	line     int          // of the statement with rows that came last
	ahead    *script.Item // read, and not yet given out
}

// A form is what differs between this program's dumps and mysqldump's.
type form interface {
	// preface takes from a comment before the first statement what it says of the dump, and comment
	// from one behind it; that returns the statement which the comment holds, if it does.
	preface(head *dump.Head, comment string) error
	comment(text string) (native string, err error)
	// statement is told that a statement has come: what was read before it is not the dump's end.
	statement()
	// loads returns the table that a statement loads rows into, and what it has before them.
	loads(sql []byte) (table, before string, ok bool)
	// split is how a block is parted into rows, one that is read in that mode.
	split(mode script.Mode) func(block []byte) iter.Seq[[]byte]
	// end is the manifest, or why what was read is no whole dump.
	end() (*dump.Contents, error)
}

// next returns the next item.
func (s *reading) next() (dump.Item, error) {
	for s.filling { // what nobody wanted to read
		if _, err := s.more(); err != nil {
			return dump.Item{}, err
		}
	}
	item, err := s.statement()
	switch {
	case err != nil && err != io.EOF:
		return dump.Item{}, err
	case !s.named: // now that all before the first statement was read
		s.named = true
		if err == nil {
			s.ahead = &item
		}
		return dump.Item{Head: &s.head}, nil
	case err == io.EOF:
		contents, err := s.form.end()
		return dump.Item{Contents: contents}, err
	}
	if table, before, ok := s.form.loads(item.Text); ok {
		return s.rows(item, table, before), nil
	}
	it := dump.Item{Kind: s.kind, Line: item.Line, Text: string(item.Text), Ours: item.Kind == script.Comment}
	name, uses := script.Used(item.Text)
	if uses {
		s.database = name
	}
	if uses || script.IsTable(item.Text) || strings.HasPrefix(it.Text, "CREATE DATABASE ") {
		it.Kind, s.kind = dump.Definitions, dump.Definitions
	}
	it.Database = s.database
	return it, nil
}

// rows is the item of a table's rows, of which first are the first.
func (s *reading) rows(first script.Item, table, before string) dump.Item {
	s.table, s.filling, s.kind, s.line = table, true, dump.AfterRows, first.Line
	it := dump.Item{Kind: dump.Rows, Database: s.database, Table: table, Line: first.Line, Text: before}
	if s.database != "" {
		it.Table = quote.Name(s.database) + "." + table
	}
	it.Split = s.form.split(s.reads | s.session.Mode())
	it.BlockLine = func() int { return s.line }
	it.Blocks = func(yield func([]byte, error) bool) {
		for block := first.Text; block != nil; {
			if !yield(block, nil) {
				return
			}
			var err error
			if block, err = s.more(); err != nil {
				yield(nil, err)
				return
			}
		}
	}
	return it
}

// more returns the next statement, if that loads rows into the table that is being filled; else
// nil.
func (s *reading) more() ([]byte, error) {
	item, err := s.statement()
	if err == nil {
		if table, _, ok := s.form.loads(item.Text); ok && table == s.table {
			s.line = item.Line
			return item.Text, nil
		}
	}
	s.filling = false
	switch err {
	case nil:
		s.ahead = &item
	case io.EOF:
		err = nil // the reader says so again
	}
	return nil, err
}

// statement returns the next statement. One that a comment holds is of the kind script.Comment.
func (s *reading) statement() (script.Item, error) {
	if s.ahead != nil {
		item := *s.ahead
		s.ahead = nil
		return item, nil
	}
	for {
		item, err := s.script.Next()
		switch {
		case err != nil:
			return script.Item{}, err
		case item.Kind == script.Statement:
			if item.SetsMode {
				s.session.Set(string(item.Text))
				s.setMode()
			}
			s.begun = true
			s.form.statement()
			return item, nil
		}
		native, err := s.comment(string(item.Text))
		if err != nil {
			return script.Item{}, fmt.Errorf("line %d: %w", item.Line, err)
		}
		if native != "" {
			s.form.statement()
			return script.Item{Kind: script.Comment, Line: item.Line, Text: []byte(native)}, nil
		}
	}
}

// comment takes from a comment what it says, and returns the statement in it, if there is one.
func (s *reading) comment(text string) (native string, err error) {
	if s.begun {
		return s.form.comment(text)
	}
	if err := s.form.preface(&s.head, text); err != nil {
		return "", err
	}
	if of, err := server.ParseNamed(s.head.Server); err == nil {
		s.reads = script.ServerMode(of.IsMariaDB(), of.Version[0]) &^ s.unlike
		s.setMode()
	}
	return "", nil
}

func (s *reading) setMode() { s.script.SetMode(s.reads | s.session.Mode()) }

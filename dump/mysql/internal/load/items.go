package load

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Items reads a dump of this program as a sequence of items, and vouches for it: see dump.Item. A
// statement is an item, one in a comment that no client runs among them. INSERTs into one table
// that follow each other are one item, of which Text is the statement up to its first row, and a
// block the rows of one of them.
func Items(r io.Reader) iter.Seq2[dump.Item, error] {
	return func(yield func(dump.Item, error) bool) {
		vouched, form, err := dump.NewReader(r)
		if err == nil && form != note.One && form != note.Several {
			err = fmt.Errorf("this is a dump of %s, not of %s", form, note.One)
		}
		if err != nil {
			yield(dump.Item{}, err)
			return
		}
		s := &itemizer{script: script.NewReader(vouched, 0), kind: dump.Definitions}
		for {
			item, err := s.next()
			if err == io.EOF {
				contents, err := dump.ContentsOf(s.manifest)
				yield(dump.Item{Contents: contents}, err)
				return
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// An itemizer is one reading of Items.
type itemizer struct {
	script   *script.Reader
	of       server.Info  // that the dump is of
	begun    bool         // a statement has come
	kind     dump.Kind    // of a statement that comes next
	database string       // that the statements are for
	table    string       // the last one with rows, as it stands there, quoted
	manifest []string     // the lines since the last statement that can be its
	filling  bool         // what comes next may be more rows of table
	ahead    *script.Item // read, and not yet given out
}

// next returns the next item; io.EOF: there are no more.
func (s *itemizer) next() (dump.Item, error) {
	for s.filling { // what nobody wanted to read
		if _, err := s.more(); err != nil {
			return dump.Item{}, err
		}
	}
	item, err := s.statement()
	if err != nil {
		return dump.Item{}, err
	}
	if script.IsInsert(borrowed(item.Text)) {
		return s.rows(item), nil
	}
	it := dump.Item{Kind: s.kind, Line: item.Line, Text: string(item.Text)}
	name, uses := used(item.Text)
	if uses {
		s.database = name
	}
	if uses || isTable(item.Text) || strings.HasPrefix(it.Text, "CREATE DATABASE ") {
		it.Kind, s.kind = dump.Definitions, dump.Definitions
	}
	it.Database = s.database
	return it, nil
}

// rows is the item of the table that an INSERT is for.
func (s *itemizer) rows(first script.Item) dump.Item {
	table, rows := script.InsertedInto(borrowed(first.Text))
	s.table, s.filling, s.kind = strings.Clone(table), true, dump.AfterRows
	head := len(first.Text) - len(rows)
	it := dump.Item{Kind: dump.Rows, Database: s.database, Table: s.table, Line: first.Line, Text: string(first.Text[:head])}
	if s.database != "" {
		it.Table = quote.Name(s.database) + "." + s.table
	}
	it.Split = splitRows
	it.Blocks = func(yield func([]byte, error) bool) {
		for block := first.Text[head:]; block != nil; {
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

// more returns the rows of the next INSERT, if that is one into the table that is being filled;
// else nil.
func (s *itemizer) more() ([]byte, error) {
	item, err := s.statement()
	if err == nil && script.IsInsert(borrowed(item.Text)) {
		if table, rows := script.InsertedInto(borrowed(item.Text)); table == s.table {
			return item.Text[len(item.Text)-len(rows):], nil
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

// statement returns the next statement.
func (s *itemizer) statement() (script.Item, error) {
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
				s.script.SetMode(script.SQLMode(setMode(string(item.Text))) | readsAs(s.of))
			}
			s.begun, s.manifest = true, nil
			return item, nil
		}
		native, err := s.note(string(item.Text))
		if err != nil {
			return script.Item{}, atLine(item.Line, err)
		}
		if native != "" {
			s.manifest = nil
			return script.Item{Line: item.Line, Text: []byte(native)}, nil
		}
	}
}

// note takes from a comment what it says, and returns the statement in it, if there is one.
func (s *itemizer) note(comment string) (native string, err error) {
	if !s.begun {
		if srv, ok := namedServer(comment); ok {
			s.of = srv
			s.script.SetMode(readsAs(s.of))
		}
		return "", nil
	}
	if dump.IsManifest(comment) {
		s.manifest = append(s.manifest, comment)
		return "", nil
	}
	s.manifest = nil
	native, _, err = note.NativeStatement(strings.TrimPrefix(comment, "-- "))
	return native, err
}

// splitRows parts the rows of an INSERT, which stand on a line each.
func splitRows(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(block) > 0 {
			row, rest, more := bytes.Cut(block, []byte(script.RowGap))
			if !more {
				row, rest = block, nil
			}
			if !yield(row) {
				return
			}
			block = rest
		}
	}
}

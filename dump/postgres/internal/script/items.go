package script

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Items reads a dump of this program as a sequence of items, and vouches for it: see dump.Item. A
// statement is an item, and so are the rows of a COPY, which are in memory a block at a time;
// \connect and comments are none.
//
// The rows of a partition that are loaded into what it is a part of are told to be that table's.
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
	script   *Reader
	kind     dump.Kind // of a statement that comes next
	created  string    // the database that was made last, as the dump writes its name
	database string    // that the statements are for
	prefix   string    // of its tables' names in the manifest
	manifest []string  // the lines since the last statement that can be its
}

// next returns the next item; io.EOF: there are no more.
func (s *itemizer) next() (dump.Item, error) {
	for {
		item, err := s.script.Next()
		if err != nil {
			return dump.Item{}, err
		}
		switch item.Kind {
		case Comment:
			if dump.IsManifest(item.Text) {
				s.manifest = append(s.manifest, item.Text)
			}
			if item.Text == "-- "+AfterRowsMark || item.Text == "-- "+PrivilegesMark {
				s.kind = dump.AfterRows
			}
		case Connect:
			s.connect(item.Text)
		default:
			s.manifest = nil
			return s.item(item), nil
		}
	}
}

// connect turns to another database.
func (s *itemizer) connect(database string) {
	name := database
	if s.created != "" {
		name = s.created // which other names are quoted the server alone knows
	}
	s.database, s.prefix, s.created, s.kind, s.manifest = database, name+".", "", dump.Definitions, nil
}

func (s *itemizer) item(item Item) dump.Item {
	it := dump.Item{Kind: s.kind, Database: s.database, Line: item.Line, Text: item.Text}
	switch {
	case item.Kind == Copy:
		it.Kind, it.Table, it.Blocks, it.Split = dump.Rows, s.prefix+copied(item.Text), item.Data.Blocks(), splitLines
		s.kind = dump.AfterRows
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

// splitLines parts rows at their ends.
func splitLines(block []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for line := range bytes.Lines(block) {
			if !yield(bytes.TrimSuffix(line, []byte("\n"))) {
				return
			}
		}
	}
}

// Blocks returns the rows that are left as blocks of whole lines. A block is the CopyData's and is
// overwritten by the next.
func (d *CopyData) Blocks() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var begun []byte // of a line that did not come whole
		for {
			piece, err := d.peek()
			if err == io.EOF {
				if len(begun) > 0 {
					yield(begun, nil)
				}
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			whole := piece
			if len(begun) > 0 {
				end := bytes.IndexByte(piece, '\n') + 1
				if end == 0 {
					end = len(piece)
				}
				begun = append(begun, piece[:end]...)
				if whole = piece[end:]; begun[len(begun)-1] == '\n' {
					if !yield(begun, nil) {
						return
					}
					begun = begun[:0]
				}
			}
			if end := bytes.LastIndexByte(whole, '\n') + 1; end > 0 {
				if !yield(whole[:end], nil) {
					return
				}
				whole = whole[end:]
			}
			if len(begun)+len(whole) > d.r.limit {
				yield(nil, d.r.errorf("a row of the COPY on line %d is longer than %d bytes", d.begin, d.r.limit))
				return
			}
			begun = append(begun, whole...)
			d.consume(len(piece))
		}
	}
}

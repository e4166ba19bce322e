package items

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// ErrNotCompleted is returned for a dump of mysqldump without its last line.
var ErrNotCompleted = errors.New(`the dump of mysqldump is truncated: its last line, "-- Dump completed", is missing`)

// The tools, by how their dumps begin. That of MariaDB was called mysqldump for long.
const (
	mysqldump   = "-- MySQL dump "
	mariadbDump = "-- MariaDB dump "
)

// sniff tells from a stream's first bytes which tool made it, if one of the two did, and returns
// the whole of it.
func sniff(r io.Reader) (whole io.Reader, tool string, err error) {
	head := make([]byte, 64)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, "", err
	}
	head = head[:n]
	for begin, by := range map[string]string{mysqldump: mysqldump, mariadbDump: mariadbDump, `/*M!999999\- `: mariadbDump, `/*!999999\- `: mariadbDump} {
		if bytes.HasPrefix(head, []byte(begin)) {
			tool = by
		}
	}
	return io.MultiReader(bytes.NewReader(head), r), tool, nil
}

// A toolDump is one that mysqldump or mariadb-dump made. Its last line is all that tells a whole
// one, and its comments say nothing else but of which server it is, and of which database if of
// one.
type toolDump struct {
	last string // comment, with no statement behind it
}

func readTool(r io.Reader, tool string) *reading {
	s := &reading{script: script.NewReader(r, 0), form: &toolDump{}, kind: dump.Definitions}
	if tool == mariadbDump { // of a server of MySQL too it has statements that are for MariaDB alone
		s.unlike = script.MySQL
	}
	return s
}

func (d *toolDump) preface(head *dump.Head, comment string) error {
	d.last = comment
	if of, ok := strings.CutPrefix(comment, "-- Server version\t"); ok && head.Server == "" {
		head.Server = of
	}
	if _, of, ok := strings.Cut(comment, "    Database: "); ok && strings.HasPrefix(comment, "-- Host: ") && of != "" {
		head.Notes = append(head.Notes, fmt.Sprintf("%s%+q", note.Origin, of))
	}
	return nil
}

func (d *toolDump) comment(text string) (native string, err error) {
	d.last = text
	return "", nil
}

func (d *toolDump) statement() { d.last = "" }

func (d *toolDump) loads(sql []byte) (table, before string, ok bool) {
	table, ok = script.Loads(sql)
	return table, "", ok
}

func (d *toolDump) split(mode script.Mode) func(block []byte) iter.Seq[[]byte] {
	return func(block []byte) iter.Seq[[]byte] { return script.Rows(block, mode) }
}

func (d *toolDump) end() (*dump.Contents, error) {
	if !isCompleted(d.last) {
		return nil, ErrNotCompleted
	}
	return &dump.Contents{}, nil
}

func isCompleted(line string) bool { return strings.HasPrefix(line, "-- Dump completed") }

// Verify reads a dump, this program's or mysqldump's, to its end and returns nil for a whole one.
// It looks at no statement.
func Verify(r io.Reader) error {
	r, tool, err := sniff(r)
	if err != nil {
		return err
	}
	if tool == "" {
		return dump.Verify(r)
	}
	tail := &tailWriter{}
	if _, err := io.Copy(tail, r); err != nil {
		return err
	}
	text := strings.TrimSpace(string(tail.last))
	if !isCompleted(text[strings.LastIndexByte(text, '\n')+1:]) {
		return ErrNotCompleted
	}
	return nil
}

// A tailWriter keeps the last bytes written to it.
type tailWriter struct{ last []byte }

func (w *tailWriter) Write(p []byte) (int, error) {
	const keep = 256
	w.last = append(w.last, p[max(0, len(p)-keep):]...)
	w.last = w.last[max(0, len(w.last)-keep):]
	return len(p), nil
}

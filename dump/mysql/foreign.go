package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// ErrNotCompleted is returned for a dump of mysqldump without its last line.
var ErrNotCompleted = errors.New(`the dump of mysqldump is truncated: its last line, "-- Dump completed", is missing`)

// sniff tells from a stream's first bytes whether mysqldump or mariadb-dump
// made it, and returns the whole of it.
func sniff(r io.Reader) (io.Reader, bool, error) {
	head := make([]byte, 64)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, false, err
	}
	head = head[:n]
	foreign := false
	for _, begin := range []string{"-- MySQL dump ", "-- MariaDB dump ", `/*M!999999\- `, `/*!999999\- `} {
		foreign = foreign || bytes.HasPrefix(head, []byte(begin))
	}
	return io.MultiReader(bytes.NewReader(head), r), foreign, nil
}

// Verify reads a dump, this program's or mysqldump's, to its end and returns
// nil for a whole one.
func Verify(r io.Reader) error {
	r, foreign, err := sniff(r)
	if err != nil {
		return err
	}
	if !foreign {
		return dump.Verify(r)
	}
	tail := &tailWriter{}
	if _, err := io.Copy(tail, r); err != nil {
		return err
	}
	if !completed(string(tail.last)) {
		return ErrNotCompleted
	}
	return nil
}

// completed tells whether text ends with mysqldump's last line.
func completed(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text[strings.LastIndexByte(text, '\n')+1:], "-- Dump completed")
}

// A tailWriter keeps the last bytes written to it.
type tailWriter struct{ last []byte }

func (w *tailWriter) Write(p []byte) (int, error) {
	const keep = 256
	w.last = append(w.last, p[max(0, len(p)-keep):]...)
	w.last = w.last[max(0, len(w.last)-keep):]
	return len(p), nil
}

// foreignDump is a dump that mysqldump or mariadb-dump made.
type foreignDump struct {
	*loading
	last     string // comment
	prepared map[string]bool
	begun    bool
}

func (d *foreignDump) comment(_ context.Context, _ int, text string) error {
	d.last = text
	return nil
}

// makesDatabase matches what mysqldump makes a database with.
var makesDatabase = regexp.MustCompile("^CREATE DATABASE (?:/\\*!32312 IF NOT EXISTS\\*/ |IF NOT EXISTS )?(`(?:[^`]|``)+`)")

func (d *foreignDump) statement(ctx context.Context, item script.Item) error {
	if err := d.before(ctx, item.Text); err != nil {
		return err
	}
	return d.run(ctx, item)
}

// before prepares the target before the first statement that is more than a
// setting, or that names another database than those before.
func (d *foreignDump) before(ctx context.Context, sql []byte) error {
	d.last = ""
	if isSetting(sql) {
		return nil
	}
	name, named := used(sql)
	if m := makesDatabase.FindSubmatch(sql); m != nil {
		name, named = unquoted(string(m[1])), true
	}
	switch {
	case named && d.cfg.Database != "":
		return fmt.Errorf("into %s: %w", d.cfg.Database, ErrSeveral)
	case !named && d.begun:
		return nil
	case !named && d.cfg.Database == "":
		return ErrNoName
	case !named:
		if err := d.prepareOne(ctx, d.cfg.Database); err != nil {
			return err
		}
	case !d.prepared[name] && !isSystemSchema(name):
		if err := d.prepareDatabases(ctx, []string{name}); err != nil {
			return err
		}
		if d.prepared == nil {
			d.prepared = make(map[string]bool)
		}
		d.prepared[name] = true
	}
	d.begun, d.touched = true, true
	return nil
}

// isSetting tells whether a statement changes only the session.
func isSetting(sql []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(sql, []byte("/*")), "M!0123456789 ")
	return bytes.HasPrefix(text, []byte("SET "))
}

func (d *foreignDump) close() {}

func (d *foreignDump) end(context.Context) error {
	if !strings.HasPrefix(d.last, "-- Dump completed") {
		return ErrNotCompleted
	}
	return nil
}

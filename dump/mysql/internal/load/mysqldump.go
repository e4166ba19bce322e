package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// ErrNotCompleted is returned for a dump of mysqldump without its last line.
var ErrNotCompleted = errors.New(`the dump of mysqldump is truncated: its last line, "-- Dump completed", is missing`)

// sniff tells from a stream's first bytes whether mysqldump or mariadb-dump made it, and returns
// the whole of it.
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

// Verify reads a dump, this program's or mysqldump's, to its end and returns nil for a whole one.
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

// toolDump is a dump that mysqldump or mariadb-dump made. It makes several databases if its first
// statement that is more than a setting says so; else it is of one, which it does not name.
type toolDump struct {
	*loading
	last     string   // comment
	named    []string // by the statements so far, but for the server's own
	begun    bool
	prepared bool     // there is room for all of the dump
	roomFor  []string // databases that there is room for, where not all were known before
}

func (d *toolDump) note(text string) (native string, err error) {
	d.last = text
	return "", nil
}

func (d *toolDump) read([]byte) {}

func (d *toolDump) native(context.Context, script.Item) error { return nil }

func (d *toolDump) route(sql []byte) error {
	d.last = ""
	if script.IsSetting(sql) {
		return nil
	}
	n := script.TargetOf(sql)
	if !d.begun {
		d.begun = true
		switch {
		case n.Whole && d.cfg.Database != "":
			return fmt.Errorf("into %s: %w", d.cfg.Database, ErrSeveral)
		case !n.Whole && d.cfg.Database == "":
			return ErrNoName
		}
	}
	if d.cfg.Database != "" && databaseCollation.Match(sql) {
		return nil
	}
	for _, db := range n.Databases {
		switch {
		case d.cfg.Database != "" && n.Whole:
			return fmt.Errorf("%s: %w: %w", script.Head(string(sql)), dump.ErrElsewhere, ErrSeveral)
		case d.cfg.Database != "" && db != d.cfg.Database:
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		case d.cfg.Database != "", d.srv.IsSystemSchema(db), slices.Contains(d.named, db):
		case !n.Whole || !d.isNew(db):
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		default:
			d.named = append(d.named, db)
		}
	}
	return nil
}

// isNew tells whether a database may be named for the first time now.
func (d *toolDump) isNew(database string) bool {
	return d.seen == nil || slices.Contains(d.seen, database)
}

// databaseCollation matches what mysqldump writes around programs that were made when their
// database had another collation, and with the database's name also in a dump that is of one.
var databaseCollation = regexp.MustCompile("^ALTER DATABASE `(?:[^`]|``)+` (CHARACTER SET [A-Za-z0-9_]+ COLLATE [A-Za-z0-9_]+)\\s*$")

func (d *toolDump) statement(ctx context.Context, item script.Item) error {
	if err := d.route(item.Text); err != nil {
		return err
	}
	if err := d.makeRoom(ctx); err != nil {
		return err
	}
	if m := databaseCollation.FindSubmatch(item.Text); m != nil && d.cfg.Database != "" {
		item.Text = append([]byte("ALTER DATABASE "+quote.Name(d.cfg.Database)+" "), m[1]...)
	}
	return d.run(ctx, item)
}

// makeRoom prepares the target before the first statement that is more than a setting: all
// databases that Verify has found in the dump, or else each when it is named first.
func (d *toolDump) makeRoom(ctx context.Context) error {
	switch {
	case !d.begun || d.prepared:
		return nil
	case d.cfg.Database != "" || d.seen != nil:
		d.prepared = true
		return d.loading.prepare(ctx, d.seen)
	case len(d.roomFor) == len(d.named):
		return nil
	case d.cfg.Clean:
		return errors.New("the dump of mysqldump makes several databases, which are known only when it has been read to its end: nothing can be dropped for it before")
	}
	more := d.named[len(d.roomFor):]
	d.roomFor = slices.Clone(d.named)
	return d.loading.prepare(ctx, more)
}

func (d *toolDump) close() {}

func (d *toolDump) end(context.Context) error {
	_, err := d.whole()
	return err
}

func (d *toolDump) whole() ([]string, error) {
	if !strings.HasPrefix(d.last, "-- Dump completed") {
		return nil, ErrNotCompleted
	}
	return d.named, nil
}

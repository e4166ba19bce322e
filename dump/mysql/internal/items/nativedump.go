package items

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// A nativeDump is one that this program made. Its comments say something only where it writes them:
// server, databases and notes before the first statement, the manifest behind the last one. What
// looks like one elsewhere says nothing.
type nativeDump struct {
	headed   bool      // the first line has come, which says the form
	said     int       // before the first statement, in bytes
	size     int       // of manifest, in bytes
	behind   int       // statements so far
	notes    note.Head // what the head's notes say, read to know that it can be
	manifest []string  // the lines since the last statement that can be its
}

// What is kept of comments is bounded by what a dump of this program has at most: names of two
// hundred thousand databases before the first statement, each with what keeping a string costs; and
// for a table, which has a statement at least, its line in the manifest and up to three for its
// parts, each with two identifiers of 64 characters.
const (
	mostNotes, noteCosts        = 64 << 20, 64
	manifestLeast, manifestEach = 1 << 20, 8 << 10
)

func readNative(r io.Reader) (*reading, error) {
	vouched, form, err := dump.NewReader(r)
	if err != nil {
		return nil, err
	}
	if form != note.One && form != note.Several {
		return nil, fmt.Errorf("this is a dump of %s, not of %s", form, note.One)
	}
	return &reading{script: script.NewReader(vouched, 0), form: &nativeDump{}, head: dump.Head{Form: form}, kind: dump.Definitions}, nil
}

func (d *nativeDump) preface(head *dump.Head, comment string) error {
	if !d.headed {
		d.headed = true
		return nil
	}
	if d.said += noteCosts + len(comment); d.said > mostNotes {
		return fmt.Errorf("comments of more than %d MiB before the first statement", mostNotes>>20)
	}
	text, _ := strings.CutPrefix(comment, "-- ")
	if rest, ok := strings.CutPrefix(text, note.Server); ok {
		if head.Server == "" {
			head.Server = rest
		}
		return nil
	}
	if rest, ok := strings.CutPrefix(text, note.Database); ok {
		name, err := strconv.Unquote(rest)
		head.Databases = append(head.Databases, name)
		return err
	}
	head.Notes = append(head.Notes, text)
	return d.notes.Read(text)
}

func (d *nativeDump) comment(text string) (native string, err error) {
	if dump.IsManifest(text) {
		if d.size += len(text); d.size > manifestLeast+d.behind*manifestEach {
			return "", fmt.Errorf("a manifest of more than %d bytes behind %d statements", d.size-len(text), d.behind)
		}
		d.manifest = append(d.manifest, text)
		return "", nil
	}
	d.manifest, d.size = nil, 0
	native, _, err = note.NativeStatement(strings.TrimPrefix(text, "-- "))
	return native, err
}

func (d *nativeDump) statement() {
	d.manifest, d.size = nil, 0
	d.behind++
}

func (d *nativeDump) loads(sql []byte) (table, before string, ok bool) {
	text := borrowed(sql)
	if !script.IsInsert(text) {
		return "", "", false
	}
	table, rows := script.InsertedInto(text)
	return strings.Clone(table), strings.Clone(text[:len(text)-len(rows)]), true
}

func (d *nativeDump) split(script.Mode) func(block []byte) iter.Seq[[]byte] {
	return func(block []byte) iter.Seq[[]byte] {
		_, rows := script.InsertedInto(borrowed(block))
		return script.Lines(block[len(block)-len(rows):])
	}
}

// end reads the manifest. Dumps of versions before may have lines before it that look like its own
// and are not: it is what comes behind its first line, or in dumps that have none as many tables as
// the last line says.
func (d *nativeDump) end() (*dump.Contents, error) {
	lines := d.manifest
	if len(lines) == 0 {
		return nil, errors.New("the dump's last line is not where it should be")
	}
	last, ok, err := dump.ParseTrailer(lines[len(lines)-1])
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errors.New("the dump's last line is not where it should be")
	}
	if head := slices.Index(lines, note.Manifest); head >= 0 {
		return dump.ContentsOf(lines[head:])
	}
	tables := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.HasPrefix(line, note.Table) })
	if len(tables) < last.Tables {
		return nil, fmt.Errorf("the dump's manifest has %d tables, its last line says %d", len(tables), last.Tables)
	}
	return dump.ContentsOf(append(tables[len(tables)-last.Tables:], lines[len(lines)-1]))
}

// borrowed is a statement's text without a copy, for as long as the reader of the dump leaves it
// alone.
func borrowed(sql []byte) string { return unsafe.String(unsafe.SliceData(sql), len(sql)) }

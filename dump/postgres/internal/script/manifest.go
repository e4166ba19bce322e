package script

import (
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A manifest is the comments since the last statement, as far as they can be the dump's manifest,
// which ends it. What looks like it elsewhere is a comment like any other, and forgotten with the
// next statement.
type manifest struct {
	lines   []string
	size    int   // of them, in bytes
	damaged error // the first thing that is wrong with them, which counts if they do
}

// A table has a line in a manifest for its rows, and up to three for parts of the dump, each with a
// name of three identifiers of 63 bytes, of which each may be written as four. A dump with more
// than that for the tables and databases that it had is none of this program's, and would take
// memory without an end.
const manifestLeast, manifestEach = 1 << 20, 8 << 10

// add takes in a comment behind so many COPYs and \connects.
func (m *manifest) add(comment Item, behind int) {
	if m.damaged != nil || !dump.IsManifest(comment.Text) {
		return
	}
	if most := manifestLeast + behind*manifestEach; m.size+len(comment.Text) > most {
		m.lines = nil
		m.spoil(comment.Line, fmt.Errorf("a manifest of more than %d bytes behind %d tables and databases", most, behind))
		return
	}
	m.lines = append(m.lines, comment.Text)
	m.size += len(comment.Text)
	_, _, err := dump.ParseTable(comment.Text)
	if err == nil {
		_, _, err = dump.ParseTrailer(comment.Text)
	}
	if err != nil {
		m.spoil(comment.Line, err)
	}
}

// spoil notes what is wrong with a comment.
func (m *manifest) spoil(line int, err error) {
	if m.damaged == nil {
		m.damaged = fmt.Errorf("line %d: %w", line, err)
	}
}

// contents reads it, at the dump's end.
func (m *manifest) contents() (*dump.Contents, error) {
	if m.damaged != nil {
		return nil, m.damaged
	}
	return dump.ContentsOf(m.lines)
}

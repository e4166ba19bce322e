package load

import (
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// note keeps what a comment of the dump tells, where it tells it: databases are named before the
// first statement, and the manifest stands behind the last. What looks like either elsewhere is a
// comment like any other.
func (s *loading) note(item script.Item, begun bool) {
	if name, ok, err := script.ParseDatabaseLine(item.Text); ok {
		if begun {
			return
		}
		if err != nil {
			s.spoilt(item, err)
		}
		s.databases = append(s.databases, name)
		return
	}
	t, ok, err := dump.ParseTable(item.Text)
	if err != nil {
		s.spoilt(item, err)
	}
	if ok {
		s.manifest = append(s.manifest, t)
		return
	}
	last, ok, err := dump.ParseTrailer(item.Text)
	if err != nil {
		s.spoilt(item, err)
	}
	if ok {
		s.trailer = last
	}
}

// noteStatement forgets what was noted of comments before a statement: a manifest ends its dump.
func (s *loading) noteStatement() { s.manifest, s.trailer, s.damaged = nil, dump.Trailer{}, nil }

// spoilt notes an error of a comment, which counts if that comment does.
func (s *loading) spoilt(item script.Item, err error) {
	if s.damaged == nil {
		s.damaged = fmt.Errorf("line %d: %w", item.Line, err)
	}
}

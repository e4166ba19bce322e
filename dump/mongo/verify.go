package mongo

import (
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// Verify reads an archive to its end and returns nil for a whole one.
func Verify(r io.Reader) error {
	a, err := archive.NewReader(r)
	if err != nil {
		return err
	}
	return verify(a)
}

// Verify reads an archive to its end and returns nil for a whole one that goes where
// the Loader would put it. It connects to nothing, and warns of nothing: Load does.
func (l *Loader) Verify(r io.Reader) error {
	quiet := *l
	quiet.cfg.Warn = func(string) {}
	s := &loading{Loader: &quiet}
	if err := s.open(r); err != nil {
		return err
	}
	return verify(s.archive)
}

func verify(a *archive.Reader) error {
	for {
		if _, err := a.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

package mongo

import (
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
)

// Verify reads an archive to its end and returns nil for a whole one.
func Verify(r io.Reader) error {
	a, err := archive.NewReader(r)
	if err != nil {
		return err
	}
	return verify(a, nil)
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
	return verify(s.archive, s.oplogOf)
}

// verify reads an archive to its end. An oplog that cannot be played is better found
// here than when all documents are there; nil: it is not to be played.
func verify(a *archive.Reader, played *archive.Collection) error {
	for {
		block, err := a.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && played != nil && block.Collection == played && block.End == nil {
			err = verifyOplog(a)
		}
		if err != nil {
			return err
		}
	}
}

func verifyOplog(a *archive.Reader) error {
	for {
		doc, err := a.Document()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := oplog.Playable(doc); err != nil {
			return oplog.AtEntry(doc, err)
		}
	}
}

package load

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
	return readThrough(a, nil)
}

// Verify reads an archive to its end and returns nil for a whole one that goes where run would put
// it. It connects to nothing, and warns of nothing: run does.
func (c Config) Verify(r io.Reader) error {
	c.Warn = func(string) {}
	s := &loading{cfg: c}
	if err := s.open(r); err != nil {
		return err
	}
	return readThrough(s.archive, s.oplogOf)
}

// readThrough reads an archive to its end. An oplog that cannot be played is better found here than
// when all documents are there; nil: it is not to be played.
func readThrough(a *archive.Reader, played *archive.Collection) error {
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

package mongo

import (
	"io"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

// Verify reads an archive to its end and returns nil for a whole one.
func Verify(r io.Reader) error {
	a, err := archive.NewReader(r)
	for err == nil {
		_, err = a.Next()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

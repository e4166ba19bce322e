package load

import (
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/oplog"
)

// Verify reads a dump's items to their end and returns nil for a whole dump that goes where Run
// would put it. It connects to nothing, and warns of nothing: Run does.
func Verify(cfg Config, items iter.Seq2[dump.Item, error]) error {
	cfg.Warn = func(string) {}
	s := &loading{cfg: cfg}
	return s.walk(items, func(planned error) error { return planned }, s.verifyItem)
}

// verifyItem refuses an oplog that cannot be played: that is better found here than when all
// documents are there.
func (s *loading) verifyItem(item dump.Item) error {
	if !s.isPlayed(item) {
		return nil
	}
	for entry, err := range item.Rows() {
		if err != nil {
			return err
		}
		if err := oplog.Playable(entry); err != nil {
			return oplog.AtEntry(entry, err)
		}
	}
	return nil
}

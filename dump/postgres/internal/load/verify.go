package load

import (
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// Verify reads a dump's items to their end and returns nil for a whole one that goes where a load
// would put it, and has the rows that its manifest says. It connects to nothing.
func Verify(cfg Config, items iter.Seq2[dump.Item, error]) error {
	s := &loading{cfg: cfg}
	s.enter("")
	for item, err := range items {
		switch {
		case err != nil:
			return err
		case item.Head != nil:
			if err := s.begin(*item.Head); err != nil {
				return err
			}
			continue
		case item.Contents != nil:
			s.manifest = item.Contents.Tables
			return s.compare()
		case s.dump.Form == "":
			return dump.ErrNotADump
		case s.leads(item):
			if err := s.mayLead(item); err != nil {
				return err
			}
			s.at = item.Database
			s.enter(item.Database)
		}
		switch {
		case script.IsConnect(item.Text):
		case item.Kind == dump.Rows:
			var rows lineTally
			for piece, err := range pieces(item) {
				if err != nil {
					return err
				}
				rows.Write(piece)
			}
			s.loaded = append(s.loaded, s.filling(item, &rows.Tally))
		default:
			s.planner.plan(item.Text)
		}
	}
	return dump.ErrTruncated
}

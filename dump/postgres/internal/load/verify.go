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
	_, err := s.read(items, func(string) {}, func(error) bool { return false })
	return err
}

// read reads a dump's items to their end. see is called with each statement that a load would run,
// and passes with the error of a dump that does not go where the load would put it; whether the
// dump is read on is what that says.
func (s *loading) read(items iter.Seq2[dump.Item, error], see func(sql string), passes func(error) bool) (*dump.Contents, error) {
	s.enter("")
	for item, err := range items {
		switch {
		case err != nil:
			return nil, err
		case item.Head != nil:
			if err := s.begin(*item.Head); err != nil && !passes(err) {
				return nil, err
			}
			continue
		case item.Contents != nil:
			s.manifest = item.Contents.Tables
			return item.Contents, s.compare()
		case s.dump.Form == "":
			return nil, dump.ErrNotADump
		case s.leads(item):
			if err := s.mayLead(item); err != nil {
				return nil, err
			}
			s.at = item.Database
			s.enter(item.Database)
		}
		switch {
		case script.IsConnect(item.Text):
		case item.Kind == dump.Rows:
			rows, err := tallied(item)
			if err != nil {
				return nil, err
			}
			s.loaded = append(s.loaded, s.filling(item, &rows))
		default:
			s.planner.plan(item.Text)
			if !s.cfg.skips(item.Text) {
				see(item.Text)
			}
		}
	}
	return nil, dump.ErrTruncated
}

// tallied reads the rows of an item.
func tallied(item dump.Item) (dump.Tally, error) {
	var rows lineTally
	for piece, err := range pieces(item) {
		if err != nil {
			return dump.Tally{}, err
		}
		rows.Write(piece)
	}
	return rows.Tally, nil
}

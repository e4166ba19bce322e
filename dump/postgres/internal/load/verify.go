package load

import (
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// Verify reads a dump to its end and returns nil for a whole one that goes where a load would put
// it, and has the rows that its manifest says. It connects to nothing.
func Verify(cfg Config, r io.Reader) error {
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return err
	}
	if err := cfg.accepts(name); err != nil {
		return err
	}
	s := &loading{cfg: cfg, dump: script.NewReader(vouched), form: name}
	s.enter("")
	for begun := false; ; {
		item, err := s.dump.Next()
		switch {
		case err == io.EOF:
			return s.compare()
		case err != nil:
			return err
		case item.Kind == script.Comment:
			s.note(item, begun)
			continue
		case !begun && s.damaged != nil:
			return s.damaged
		case item.Kind == script.Connect:
			if err := leads(s.form, s.databases, item.Text); err != nil {
				return fmt.Errorf("line %d: %w", item.Line, err)
			}
			s.enter(item.Text)
		case item.Kind == script.Copy:
			var rows lineTally
			if _, err := item.Data.WriteTo(&rows); err != nil {
				return err
			}
			s.loaded = append(s.loaded, s.filling(item, rows.Tally))
		default:
			s.planner.plan(item.Text)
		}
		begun = true
		s.noteStatement()
	}
}

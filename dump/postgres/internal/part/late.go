package part

import (
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// withLateViews adds to the error of a drop that something stands in the way of the materialized
// views that are of the choice and that no definition makes before the dump's rows. The dump may
// make them behind these, as it does where they need a key; it may as well have none of them, so
// that dropping them unasked could lose them.
func (p *Part) withLateViews(err error, list []found, gone map[uint32]bool) error {
	if !server.HasCode(err, "2BP01") { // dependent_objects_still_exist
		return err
	}
	known := map[name]bool{}
	for _, o := range p.objects.list {
		if o.group == relation {
			known[p.inTarget(o)] = true
		}
	}
	var late []string
	for _, f := range list {
		of := object{group: relation, word: f.Word, name: f.at()}
		if p.old != "" {
			if f.Schema != p.ToSchema {
				continue
			}
			of.name.schema = p.old
		}
		if f.Group == relation && f.Word == materialized && !gone[f.OID] && !known[f.at()] && p.chooses(&of) {
			late = append(late, ident(f.at()))
		}
	}
	if len(late) == 0 {
		return err
	}
	return fmt.Errorf("%w; nothing makes these before the dump's rows, so that nobody knows yet whether it makes them again: DROP MATERIALIZED VIEW %s; if they are in the dump, the restore makes them behind the rows", err, dump.Listed(late))
}

// MadeBehind are the materialized views that a dump, once it is read to its end, has made behind
// its rows. Another reading of it is told in Config.Behind, so that with clean they are dropped
// with what they stand on.
func (p *Part) MadeBehind() []name { return p.behind }

// noteBehind notes such a view.
func (p *Part) noteBehind(s *statement) {
	if o := s.of; o != nil && o.word == materialized && s.makes == o.name {
		p.behind = append(p.behind, o.name)
	}
}

// expect adds those that are known beforehand.
func (p *Part) expect() {
	for _, n := range p.Behind {
		p.objects.object(relation, materialized, n)
	}
}

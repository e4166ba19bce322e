package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A load that goes on behind what the server refuses (Config.Refused) tells each refusal and keeps
// none: there may be as many as statements. What it keeps is their number, and in loaded the tables
// whose rows are not there.
//
// The rows of a table go in one transaction then, and so on one session: they are there, or none of
// them is.

// endures tells whether the load goes on behind a job that has failed: the server has refused it,
// and has undone that and nothing else. A transaction that the dump itself began is over then, with
// what came before in it, and the load with it.
func (s *session) endures(ctx context.Context, j *job, err error) bool {
	may := j.plan.kind == refreshes || j.plan.kind == analyses || s.goesOn
	if !may || !server.IsRefusal(err) || s.conn.IsClosed() || s.conn.PgConn().TxStatus() != 'I' {
		return false
	}
	switch j.plan.kind {
	case runsAlone:
		return !strings.HasPrefix(j.item.Text, "SELECT pg_catalog.set_config(")
	case sets:
		return s.setDefault(ctx, j)
	case apart:
		// What follows is done all the same, by the role that loads: the privileges are then
		// granted by another than they were.
		return strings.HasPrefix(j.item.Text, "SET SESSION AUTHORIZATION ")
	}
	return true
}

// placements are the settings of where tables are made, by the statements of the places that every
// server has. Any other setting that is refused changes what the statements behind it mean.
var placements = map[string]string{
	"default_tablespace":          "SET default_tablespace = '';",
	"default_table_access_method": "SET default_table_access_method = heap;",
}

// setDefault has what comes behind a place that is not there go to the default one, and not to the
// one before. It reports false where that would not do.
func (s *session) setDefault(ctx context.Context, j *job) bool {
	j.instead = placements[j.plan.setting]
	if j.instead == "" || server.Exec(ctx, s.conn.PgConn(), j.instead) != nil {
		return false
	}
	s.set = s.set.with(assignment{j.plan.setting, j.instead})
	return true
}

// counted counts rows as they are read, and reads those that nobody asks for any more, so that the
// number is that of all rows.
func counted(rows iter.Seq2[[]byte, error], n *int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		asked := true
		for piece, err := range rows {
			*n += int64(bytes.Count(piece, []byte{'\n'}))
			asked = asked && yield(piece, err)
		}
	}
}

// noteRefused tells of what the server has refused of a job, which is done. The one of an analysis
// is for who asked for it: see analyse.
func (s *loading) noteRefused(j *job) {
	for _, part := range j.parts {
		s.noteRefused(part)
	}
	switch {
	case j.refused == nil || j.plan.kind == analyses:
	case s.cfg.Refused == nil: // a refresh
		err := j.failed(j.refused)
		s.unfilled = append(s.unfilled, err)
		s.cfg.Warn(fmt.Sprintf("the server does not fill a materialized view: %v", err))
	default:
		s.refuse(dump.Refusal{Line: j.item.Line, What: described(j.item.Text), Table: j.item.Table, Rows: j.read, Err: j.refused})
	}
}

func (s *loading) refuse(r dump.Refusal) {
	s.refused++
	s.cfg.Refused(r)
}

// passBy has the load go on behind a database that it cannot enter, because making it was refused:
// what the dump has for that database is passed over. The session is then in another one, where the
// next database is made.
func (s *loading) passBy(ctx context.Context, item dump.Item, err error) error {
	// invalid_catalog_name, insufficient_privilege, object_not_in_prerequisite_state
	if s.cfg.Refused == nil || !server.HasCode(err, "3D000", "42501", "55000") {
		return fmt.Errorf("line %d: %w", item.Line, err)
	}
	s.statements++
	s.refuse(dump.Refusal{Line: item.Line, What: "all of database " + item.Database, Err: err})
	s.absent = err
	if err := s.use(ctx, firstOfCluster); err != nil {
		return err
	}
	s.enter(item.Database)
	return nil
}

// passOver counts an item of a database that the load could not enter. Its rows are told: they are
// what is missed. Behind them the dump makes the next database.
func (s *loading) passOver(ctx context.Context, item dump.Item) error {
	if strings.HasPrefix(item.Text, "CREATE DATABASE ") {
		return s.schedule(ctx, item)
	}
	s.statements++
	if item.Kind != dump.Rows {
		s.planner.plan(item.Text)
		s.refused++
		return nil
	}
	r := dump.Refusal{Line: item.Line, What: described(item.Text), Table: item.Table, Err: s.absent}
	for _, err := range counted(pieces(item), &r.Rows) {
		if err != nil {
			return err
		}
	}
	s.loaded = append(s.loaded, s.filling(item, nil))
	s.refuse(r)
	return nil
}

// incomplete is how a load ends that has done all it could; nil: everything is there.
func (s *loading) incomplete() error {
	switch {
	case s.refused > 0:
		return &dump.IncompleteError{Refused: s.refused, Of: s.statements, Missing: s.missing}
	case len(s.unfilled) > 0 && !s.cfg.Drill: // materialized views
		return fmt.Errorf("the server does not fill %d materialized views: %w", len(s.unfilled), errors.Join(s.unfilled...))
	}
	return nil
}

package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// nativeDump is a dump that this program made. It knows the statements of those, as they are
// written here: rows of a table that is stored by its key are loaded on several sessions, and its
// indexes are built while the next table's rows are loaded. All else runs in its order on one.
type nativeDump struct {
	*loading
	head      dump.Head
	notes     note.Head // that it has
	counting  sync.Mutex
	inserted  map[string]dump.Tally // rows that the server took, by their tables
	renames   bool                  // the dump goes into a database of another name than it was made of
	prepared  bool
	refused   bool // something of an account was
	makesNone bool // the session's sql_mode has GRANT make no users

	workers   *workers // nil: there was nothing to do for it yet
	alone     bool     // there is none to be had
	settings  []string // the statements that its sessions have to run too
	spreads   bool     // rows of the table made last may come in any order
	spreading bool     // they are just coming
}

// newNativeDump looks whether a dump with that head may go where the load is to put it.
func newNativeDump(s *loading, head dump.Head) (*nativeDump, error) {
	switch {
	case head.Form != note.One && head.Form != note.Several:
		return nil, fmt.Errorf("this is a dump of %s, not of %s", head.Form, note.One)
	case head.Form == note.One && s.cfg.Database == "":
		return nil, ErrNoName
	case head.Form == note.Several && s.cfg.Database != "":
		return nil, fmt.Errorf("into %s: %w", s.cfg.Database, ErrSeveral)
	}
	d := &nativeDump{loading: s, head: head, inserted: make(map[string]dump.Tally)}
	for _, text := range head.Notes {
		if err := d.notes.Read(text); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *nativeDump) native(ctx context.Context, st statement) error {
	err := d.run(ctx, st)
	if server.IsError(err, server.CodeParse) { // an owner's text, which is not to cost everybody else the restore
		d.cfg.Warn(fmt.Sprintf("line %d: left out, as this server does not understand it: %v", st.line, err))
		return nil
	}
	return err
}

// suits holds the dump's server against this one.
func (d *nativeDump) suits(ctx context.Context) (err error) {
	if of, _, _ := strings.Cut(d.head.Server, " "); of != string(d.srv.Family) {
		return fmt.Errorf("a dump of %s into %s %s: %w", d.head.Server, d.srv.Family, d.srv.Version, ErrOtherFamily)
	}
	if err := d.checkZone(ctx); err != nil {
		return err
	}
	d.renames, err = d.elsewhere()
	return err
}

// prepare looks whether the dump is one for this server, and makes room.
func (d *nativeDump) prepare(ctx context.Context) error {
	if err := d.suits(ctx); err != nil {
		return err
	}
	if d.cfg.Database != "" {
		d.settings = append(d.settings, "USE "+quote.Name(d.cfg.Database))
	}
	return d.loading.prepare(ctx, d.head.Databases)
}

func (d *nativeDump) route(sql []byte) error {
	if script.IsSetting(sql) {
		return nil
	}
	n := script.TargetOf(sql)
	for _, db := range n.Databases {
		if n.Whole && d.cfg.Database != "" || db != d.cfg.Database && !slices.Contains(d.head.Databases, db) {
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		}
	}
	return nil
}

func (d *nativeDump) run(ctx context.Context, st statement) error {
	if err := d.route(st.sql); err != nil {
		return err
	}
	if !d.prepared {
		if err := d.prepare(ctx); err != nil {
			return err
		}
		d.prepared = true
	}
	if d.cfg.Drill {
		var stays bool
		var err error
		if st.sql, stays, err = d.tamed(st.sql); !stays {
			return err
		}
	}
	st.sql = d.renamed(st.sql)
	sql := st.sql
	if d.makesNone && !isAccounts(sql) { // the dump knows nothing of that, and programs keep the mode that they are made in
		if err := d.conn.Exec(ctx, "SET sql_mode = @breaking_backups_mode"); err != nil {
			return err
		}
		d.makesNone = false
	}
	switch {
	case isSessionSetting(sql):
		return d.set(ctx, st)
	case d.cfg.Jobs == 1 || d.alone:
	case string(sql) == "START TRANSACTION" && d.spreads:
		if err := d.gather(ctx); err != nil {
			return err
		}
		if d.spreading = !d.alone; d.spreading {
			return nil
		}
	case string(sql) == "COMMIT" && d.spreading:
		d.spreading = false
		return d.workers.commit(ctx)
	case d.spreading:
		return d.spread(ctx, st)
	case d.workers != nil && ddl.AddsKeys(sql):
		return d.build(ctx, st)
	case script.IsTable(sql):
		d.spreads = isStoredByKey(string(sql))
		return d.send(ctx, st)
	case isRows(sql):
		return d.sendRows(ctx, st)
	}
	if d.workers != nil {
		if err := d.workers.settle(ctx); err != nil {
			return err
		}
	}
	if name, ok := script.Used(sql); ok {
		return d.use(ctx, st, name)
	}
	if d.cfg.Database == "" && isAccounts(sql) {
		return d.account(ctx, st)
	}
	if isRows(sql) {
		return d.sendRows(ctx, st)
	}
	return d.send(ctx, st)
}

// sendRows runs a statement of those that rows are loaded by, in the session that all else runs in.
// Of those that frame them a load that goes on has no use: see begin.
func (d *nativeDump) sendRows(ctx context.Context, st statement) error {
	if d.refusals.goesOn() && !st.rows {
		return nil
	}
	return d.send(ctx, st)
}

// use changes to a database, and has the workers' sessions do so.
func (d *nativeDump) use(ctx context.Context, st statement, name string) error {
	d.database = name
	err := d.send(ctx, st)
	if err == nil {
		d.settings = append(d.settings, string(st.sql))
	}
	return err
}

// set runs a statement that sets up the session, and has the workers' sessions run it too. What the
// account has no right to set and the dump might need it does not have: what the server refuses for
// that it refuses in its own words.
func (d *nativeDump) set(ctx context.Context, st statement) error {
	err := d.send(ctx, st)
	if server.IsError(err, server.CodePrivilegeNeeded) {
		return nil
	}
	if err == nil {
		d.settings = append(d.settings, string(st.sql))
	}
	return err
}

// end waits for what is still being built, and compares the rows that the server took with the
// manifest.
func (d *nativeDump) end(ctx context.Context, contents *dump.Contents) error {
	if d.workers != nil {
		if err := d.workers.settle(ctx); err != nil {
			return err
		}
	}
	if err := d.warnOfMachine(ctx); err != nil {
		return err
	}
	if d.notes.TimeZones {
		switch there, err := d.conn.HasTimeZones(ctx); {
		case err != nil:
			return err
		case !there:
			d.cfg.Warn(missingTimeZones)
		}
	}
	return d.compare(contents.Tables)
}

func (d *nativeDump) close() {
	if d.workers != nil {
		d.workers.close()
	}
}

// whole names no databases: the dump's head does.
func (d *nativeDump) whole(contents *dump.Contents) ([]string, error) {
	return nil, d.compare(contents.Tables)
}

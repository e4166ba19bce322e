package load

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
	server      string   // family and version of the server it was made of
	databases   []string // that a dump of several makes
	manifest    dump.Manifest
	counting    sync.Mutex
	inserted    map[string]dump.Tally // rows that the server took, by their tables
	listed      []string              // the lines that may be the manifest's, if no statement comes after them
	trailer     string
	zones       bool   // the dump's server knows time zones by their names
	machineZone string // in which tables' values are computed anew; "": in none
	zone        string // the same, of a server that was set to one
	begun       bool   // a statement has come
	ownName     note.OwnName
	renames     bool // the dump goes into a database of another name than it was made of
	prepared    bool
	refused     bool // something of an account was
	makesNone   bool // the session's sql_mode has GRANT make no users

	workers   *workers // nil: there was nothing to do for it yet
	alone     bool     // there is none to be had
	settings  []string // the statements that its sessions have to run too
	spreads   bool     // rows of the table made last may come in any order
	spreading bool     // they are just coming
}

// note reads a comment. Those of ours are such only where this program writes them: server and
// databases before the first statement, the manifest between the last one and the trailer. What
// looks like one elsewhere says nothing.
func (d *nativeDump) note(text string) (native string, err error) {
	text, _ = strings.CutPrefix(text, "-- ")
	if !d.begun {
		if rest, ok := strings.CutPrefix(text, note.Server); ok && d.server == "" {
			d.server = rest
		}
		if rest, ok := strings.CutPrefix(text, note.Database); ok {
			name, err := strconv.Unquote(rest)
			d.databases = append(d.databases, name)
			return "", err
		}
		if rest, ok := strings.CutPrefix(text, note.MachineZone); ok {
			d.machineZone, err = strconv.Unquote(rest)
			return "", err
		}
		if rest, ok := strings.CutPrefix(text, note.Zone); ok {
			d.zone, err = strconv.Unquote(rest)
			return "", err
		}
		d.zones = d.zones || text == note.TimeZones
		return "", d.ownName.Read(text)
	}
	switch {
	case strings.HasPrefix(text, note.Manifest):
		d.listed = append(d.listed, text)
	case strings.HasPrefix(text, note.Trailer):
		d.trailer = text
	default:
		d.listed = nil
	}
	native, _, err = note.NativeStatement(text)
	return native, err
}

func (d *nativeDump) native(ctx context.Context, item script.Item) error {
	err := d.statement(ctx, item)
	if server.IsError(err, server.CodeParse) { // an owner's text, which is not to cost everybody else the restore
		d.cfg.Warn(fmt.Sprintf("line %d: left out, as this server does not understand it: %v", item.Line, err))
		return nil
	}
	return err
}

// prepare holds the dump's server against this one, and makes room.
func (d *nativeDump) prepare(ctx context.Context) error {
	if of, _, _ := strings.Cut(d.server, " "); of != string(d.srv.Family) {
		return fmt.Errorf("a dump of %s into %s %s: %w", d.server, d.srv.Family, d.srv.Version, ErrOtherFamily)
	}
	if err := d.checkZone(ctx); err != nil {
		return err
	}
	var err error
	if d.renames, err = d.elsewhere(); err != nil {
		return err
	}
	if d.cfg.Database != "" {
		d.settings = append(d.settings, "USE "+quote.Name(d.cfg.Database))
	}
	return d.loading.prepare(ctx, d.databases)
}

func (d *nativeDump) route(sql []byte) error {
	d.begun = true
	if script.IsSetting(sql) {
		return nil
	}
	n := script.TargetOf(sql)
	for _, db := range n.Databases {
		if n.Whole && d.cfg.Database != "" || db != d.cfg.Database && !slices.Contains(d.databases, db) {
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		}
	}
	return nil
}

func (d *nativeDump) statement(ctx context.Context, item script.Item) error {
	if err := d.route(item.Text); err != nil {
		return err
	}
	if !d.prepared {
		if err := d.prepare(ctx); err != nil {
			return err
		}
		d.prepared = true
	}
	d.listed, d.trailer = nil, ""
	item.Text = d.renamed(item.Text)
	sql := item.Text
	if d.makesNone && !isAccounts(sql) { // the dump knows nothing of that, and programs keep the mode that they are made in
		if err := d.exec(ctx, d.conn, "SET sql_mode = @breaking_backups_mode"); err != nil {
			return err
		}
		d.makesNone = false
	}
	switch {
	case isSessionSetting(sql):
		return d.set(ctx, item)
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
		return d.spread(ctx, item)
	case d.workers != nil && ddl.AddsKeys(sql):
		return d.build(ctx, item)
	case isTable(sql):
		d.spreads = isStoredByKey(string(sql))
		return d.run(ctx, item)
	case isRows(sql):
		return d.run(ctx, item)
	}
	if name, ok := used(sql); ok {
		d.database = name
		d.settings = append(d.settings, string(sql))
	}
	if d.workers != nil {
		if err := d.workers.settle(ctx); err != nil {
			return err
		}
	}
	if d.cfg.Database == "" && isAccounts(sql) {
		return d.account(ctx, item)
	}
	return d.run(ctx, item)
}

// set runs a statement that sets up the session, and has the workers' sessions run it too. What the
// account has no right to set and the dump might need it does not have: what the server refuses for
// that it refuses in its own words.
func (d *nativeDump) set(ctx context.Context, item script.Item) error {
	err := d.run(ctx, item)
	if server.IsError(err, server.CodePrivilegeNeeded) {
		return nil
	}
	d.settings = append(d.settings, string(item.Text))
	return err
}

// end waits for what is still being built, and compares the rows that the server took with the
// manifest.
func (d *nativeDump) end(ctx context.Context) error {
	if d.workers != nil {
		if err := d.workers.settle(ctx); err != nil {
			return err
		}
	}
	if err := d.warnOfMachine(ctx); err != nil {
		return err
	}
	if d.zones {
		switch there, err := d.conn.HasTimeZones(ctx); {
		case err != nil:
			return err
		case !there:
			d.cfg.Warn(missingTimeZones)
		}
	}
	return d.compare()
}

func (d *nativeDump) close() {
	if d.workers != nil {
		d.workers.close()
	}
}

// whole names no databases: the dump's head does. The reader vouches for its bytes.
func (d *nativeDump) whole() ([]string, error) { return nil, d.compare() }

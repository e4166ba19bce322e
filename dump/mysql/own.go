package mysql

import (
	"bytes"
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

// ownDump is a dump that this program made. It knows the statements of those, as they are written here: rows of a table
// that is stored by its key are loaded on several sessions, and its indexes are built while the next table's rows are
// loaded. All else runs in its order on one.
type ownDump struct {
	*loading
	server      string   // family and version of the server it was made of
	databases   []string // that a dump of several makes
	manifest    dump.Manifest
	counting    sync.Mutex
	inserted    map[string]inserted // rows that the server took, by their tables
	listed      []string            // the lines that may be the manifest's, if no statement comes after them
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

	crew      *crew    // nil: there was nothing to do for it yet
	alone     bool     // there is none to be had
	settings  []string // the statements that its sessions have to run too
	spreads   bool     // rows of the table made last may come in any order
	spreading bool     // they are just coming
}

// note reads a comment. Those of ours are such only where this program writes them: server and databases before the
// first statement, the manifest between the last one and the trailer. What looks like one elsewhere says nothing.
func (d *ownDump) note(text string) (native string, err error) {
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

func (d *ownDump) native(ctx context.Context, item script.Item) error {
	err := d.statement(ctx, item)
	if server.IsError(err, server.CodeParse) { // an owner's text, which is not to cost everybody else the restore
		d.cfg.Warn(fmt.Sprintf("line %d: left out, as this server does not understand it: %v", item.Line, err))
		return nil
	}
	return err
}

// prepare holds the dump's server against this one, and makes room.
func (d *ownDump) prepare(ctx context.Context) error {
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

func (d *ownDump) route(sql []byte) error {
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

func (d *ownDump) statement(ctx context.Context, item script.Item) error {
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
		return d.crew.commit(ctx)
	case d.spreading:
		return d.spread(ctx, item)
	case d.crew != nil && ddl.AddsKeys(sql):
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
	if d.crew != nil {
		if err := d.crew.settle(ctx); err != nil {
			return err
		}
	}
	if d.cfg.Database == "" && isAccounts(sql) {
		return d.account(ctx, item)
	}
	return d.run(ctx, item)
}

// set runs a statement that sets up the session, and has the crew's sessions run it too. What the account has no right
// to set and the dump might need it does not have: what the server refuses for that it refuses in its own words.
func (d *ownDump) set(ctx context.Context, item script.Item) error {
	err := d.run(ctx, item)
	if server.IsError(err, server.CodePrivilegeNeeded) {
		return nil
	}
	d.settings = append(d.settings, string(item.Text))
	return err
}

// account names what the server refuses of an account, and goes on: it may lack what the dump's server has, as a plugin
// or partial revokes, and one privilege of one user is not to cost all others theirs. What may be mended and tried again
// is an error.
func (d *ownDump) account(ctx context.Context, item script.Item) error {
	if d.refused && !d.makesNone && d.srv.IsMariaDB() { // or a GRANT would make the user whom it has refused, without a password
		if err := d.exec(ctx, d.conn, "SET @breaking_backups_mode = @@sql_mode, sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER')"); err != nil {
			return err
		}
		d.makesNone = true
	}
	err := d.run(ctx, item)
	if server.ErrorNumber(err) == 0 || server.IsError(err, toBeMended...) {
		return err
	}
	d.refused = true
	what := "is left out"
	if bytes.HasPrefix(item.Text, []byte("REVOKE ")) {
		what = "is left out, and the account may do more than it might"
	}
	d.cfg.Warn(fmt.Sprintf("line %d %s, as this server refuses it: %v", item.Line, what, err))
	return nil
}

// toBeMended are errors of statements about accounts that say nothing of these: rights, locks, a server that takes no
// writes.
var toBeMended = []uint16{
	server.CodeDatabaseDenied, server.CodeAccessDenied, server.CodeTableDenied, server.CodeColumnDenied, server.CodePrivilegeNeeded, server.CodeRoutineDenied, server.CodeProxyDenied,
	server.CodeLockWaitTimeout, server.CodeDeadlock, server.CodeOptionPrevents, server.CodeReadOnlyMode,
}

// isAccounts tells whether a statement is one of those that make accounts, roles and what they may do.
func isAccounts(sql []byte) bool {
	return slices.ContainsFunc(
		[]string{"CREATE USER ", "ALTER USER ", "CREATE OR REPLACE ROLE ", "GRANT ", "REVOKE ", "SET DEFAULT ROLE "},
		func(begin string) bool { return bytes.HasPrefix(sql, []byte(begin)) },
	)
}

// gather opens the sessions of the crew when they are needed first.
func (d *ownDump) gather(ctx context.Context) error {
	if d.crew != nil {
		return nil
	}
	var conns []*server.Conn
	for range d.cfg.Jobs {
		c, err := d.open(ctx)
		if server.IsError(err, server.CodeTooManyConnections, server.CodeTooManyForUser, server.CodeTooManyForUserSince) {
			d.cfg.Warn(fmt.Sprintf("the rows are loaded on fewer connections than RESTORE_JOBS says: %v", err))
			break
		}
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return err
		}
		conns = append(conns, c)
	}
	if d.alone = len(conns) == 0; d.alone {
		return nil
	}
	if d.srv.IsMariaDB() {
		// Into an empty table MariaDB loads in bulk where it need not check for duplicates, and keeps others out of the
		// table meanwhile.
		d.settings = append(d.settings, "SET unique_checks = 1")
	}
	d.crew = newCrew(d.fail, conns)
	return nil
}

// spread leaves an INSERT to the crew.
func (d *ownDump) spread(ctx context.Context, item script.Item) error {
	for part := range script.Split(item.Text, d.packet-server.PacketHead, d.mode) {
		alone := len(part) >= crewRoom
		sql := borrowed(part)
		if !alone {
			sql = string(part) // as the next one is read while this one runs
		}
		if err := d.crew.load(ctx, sql, d.job(item.Line, sql, (*member).begin)); err != nil {
			return err
		}
		if alone {
			d.crew.rows.Wait()
		}
	}
	return nil
}

// build leaves it to the crew to build indexes.
func (d *ownDump) build(ctx context.Context, item script.Item) error {
	return d.crew.build(ctx, d.job(item.Line, string(item.Text), func(*member, context.Context) error { return nil }))
}

// job runs a statement of that line in whatever session, with the settings that the dump has made so far: some can only
// be made before the transaction begins.
func (d *ownDump) job(line int, sql string, begin func(*member, context.Context) error) func(context.Context, *member) error {
	settings := slices.Clip(d.settings)
	return func(ctx context.Context, m *member) error {
		err := m.adopt(ctx, settings)
		if err == nil {
			err = begin(m, ctx)
		}
		if err == nil {
			err = d.exec(ctx, m.conn, sql)
		}
		return atLine(line, err)
	}
}

// end waits for what is still being built, and compares the rows that the server took with the manifest.
func (d *ownDump) end(ctx context.Context) error {
	if d.crew != nil {
		if err := d.crew.settle(ctx); err != nil {
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

func (d *ownDump) close() {
	if d.crew != nil {
		d.crew.close()
	}
}

// whole names no databases: the dump's head does. The reader vouches for its bytes.
func (d *ownDump) whole() ([]string, error) { return nil, d.compare() }

// isRows tells whether a statement is one of those that a table's rows are loaded by.
func isRows(sql []byte) bool {
	return string(sql) == "START TRANSACTION" || string(sql) == "COMMIT" || bytes.HasPrefix(sql, []byte("INSERT INTO `"))
}

func isTable(sql []byte) bool { return bytes.HasPrefix(sql, []byte("CREATE TABLE `")) }

// isStoredByKey tells whether a table's rows are stored by its primary key, whatever the order they come in, and may
// come on several sessions at once. The order of others is that of their rows in the dump.
func isStoredByKey(create string) bool {
	d, err := ddl.ParseTable(create)
	if err != nil || !strings.Contains(d.Tail, "ENGINE=InnoDB") {
		return false
	}
	return slices.ContainsFunc(d.Elements, func(e string) bool { return strings.HasPrefix(e, "PRIMARY KEY ") })
}

// isSessionSetting tells whether a statement sets variables of the session, and does nothing else.
func isSessionSetting(sql []byte) bool {
	return script.IsSetting(sql) && !bytes.HasPrefix(sql, []byte("SET ROLE ")) && !bytes.HasPrefix(sql, []byte("SET DEFAULT ROLE "))
}

// used returns the database that a USE statement names.
func used(sql []byte) (string, bool) {
	const use = "use "
	if len(sql) < len(use) || !bytes.EqualFold(sql[:len(use)], []byte(use)) {
		return "", false
	}
	name := strings.TrimSpace(string(sql[len(use):]))
	if strings.HasPrefix(name, "`") && strings.HasSuffix(name, "`") && len(name) > 1 {
		name = quote.Unquoted(name)
	}
	return name, true
}

// missingTimeZones is the warning about a server that does not, where the dump's does.
const missingTimeZones = "the dump's server knows time zones by their names, and this one does not: CONVERT_TZ gives NULL for them; load them with mysql_tzinfo_to_sql or mariadb-tzinfo-to-sql"

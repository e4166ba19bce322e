package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What a table's definition computes of a TIMESTAMP, values of generated columns, keys of expressions, CHECKs, it
// computes in the time zone of the session that writes the row. A dump's session is in UTC. So what such tables hold is
// computed anew in the zone in which the server was: its rows are inserted there, or, as MariaDB has no way to write a
// moment that the clock shows twice, copied there once more. (What a session of another zone has computed is lost.)

// readZones finds those tables, and the zone.
func (c *catalog) readZones(ctx context.Context, tables []*table) error {
	var zone, system string
	for _, t := range tables {
		stamps := t.definition.Computing()
		if len(stamps) == 0 {
			continue
		}
		if zone == "" {
			if err := c.conn.Row(ctx, "SELECT @@GLOBAL.time_zone, @@system_time_zone", &zone, &system); err != nil {
				return fmt.Errorf("read the server's time zone: %w", err)
			}
		}
		if isUTC(zone) || zone == systemZone && isUTC(system) {
			return nil
		}
		if err := guard.MustBe(guard.ZoneForm, "a time zone", zone); err != nil {
			return err
		}
		switch {
		case !c.conn.IsMariaDB() && c.conn.Version.Less(server.Version{8, 0, 19}):
			c.warn(fmt.Sprintf("what %s computes of its TIMESTAMPs a restore computes in UTC, and not in %s: this server takes no times with their zone", t.label, zone))
			continue
		case zone == systemZone:
			c.warn(fmt.Sprintf("what %s computes of its TIMESTAMPs it has in the time zone of the server's machine, %s: a restore computes it in that of its own; a zone that the server itself is set to is in the dump", t.label, system))
		}
		t.zone, t.machineZone = zone, system
		if c.conn.IsMariaDB() {
			t.zoned = t.definition.UniqueOfComputed(stamps)
			continue
		}
		for i, col := range t.columns {
			if slices.Contains(stamps, col.name) {
				t.columns[i].read = "IF(" + col.name + " = 0, '0000-00-00 00:00:00', CONCAT(" + col.name + ", '+00:00'))"
			}
		}
	}
	return nil
}

// systemZone is the time zone of a server that has that of its machine.
const systemZone = "SYSTEM"

func isUTC(zone string) bool {
	return slices.Contains([]string{"+00:00", "-00:00", "UTC", "ETC/UTC", "GMT", "ETC/GMT", "UCT", "ZULU"}, strings.ToUpper(zone))
}

// enter is what comes before a table's rows, in whose zone they are computed, and leave what comes after them.
func (t *table) enter(p *guard.Printer, srv server.Info) {
	if t.zone != "" && !srv.IsMariaDB() {
		inZone(p, t.zone)
	}
}

func (t *table) leave(p *guard.Printer, srv server.Info) {
	if t.zone != "" && srv.IsMariaDB() {
		inZone(p, t.zone)
		add := ""
		for _, key := range t.zoned {
			add += "\n  ADD " + key + ","
		}
		p.Stmt("ALTER TABLE %s%s FORCE, ALGORITHM=COPY", t.name, add)
	}
	p.In(guard.Home())
}

func inZone(p *guard.Printer, zone string) {
	s := guard.Home()
	s.TimeZone = zone
	p.In(s)
}

// errNoZone is returned of a server that cannot compute what the dump's has computed of its TIMESTAMPs.
var errNoZone = errors.New("the dump's tables have values that are computed of TIMESTAMPs in the time zone of their server")

// checkZone looks whether the server can compute in the dump's zone, before anything is changed.
func (d *ownDump) checkZone(ctx context.Context) error {
	if d.zone != "" {
		var known bool
		if err := d.conn.Row(ctx, "SELECT CONVERT_TZ('2020-01-01 00:00:00', '+00:00', "+quote.Literal(d.zone)+") IS NOT NULL", &known); err != nil {
			return fmt.Errorf("ask for the time zone %s: %w", d.zone, err)
		}
		if !known {
			return fmt.Errorf("%w, %s, which this one does not know: load the time zones into it with mysql_tzinfo_to_sql or mariadb-tzinfo-to-sql", errNoZone, d.zone)
		}
	}
	if (d.zone != "" || d.machineZone != "") && !d.srv.IsMariaDB() && d.srv.Version.Less(server.Version{8, 0, 19}) {
		return fmt.Errorf("%w, written as MySQL 8.0.19 and later read them, and this one is %s", errNoZone, d.srv.Version)
	}
	return nil
}

// warnOfMachine says where a dump's server was in another zone than this one.
func (d *ownDump) warnOfMachine(ctx context.Context) error {
	if d.machineZone == "" {
		return nil
	}
	var here string
	if err := d.conn.Row(ctx, "SELECT @@system_time_zone", &here); err != nil {
		return err
	}
	if here != d.machineZone {
		d.cfg.Warn(fmt.Sprintf("what tables compute of their TIMESTAMPs is computed anew in the time zone of this server's machine, %s; the dump's was in %s", here, d.machineZone))
	}
	return nil
}

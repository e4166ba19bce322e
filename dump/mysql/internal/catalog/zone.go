package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What a table's definition computes of a TIMESTAMP, values of generated columns, keys of
// expressions, CHECKs, it computes in the time zone of the session that writes the row. A dump's
// session is in UTC. So what such tables hold is computed anew in the zone in which the server was:
// its rows are inserted there, or, as MariaDB has no way to write a moment that the clock shows
// twice, copied there once more. (What a session of another zone has computed is lost.)

// readZones finds those tables, and the zone.
func (c *Reader) readZones(ctx context.Context, tables []*Table) error {
	var zone, system string
	for _, t := range tables {
		stamps := t.Definition.Computing()
		if len(stamps) == 0 {
			continue
		}
		if zone == "" {
			if err := c.Conn.Row(ctx, "SELECT @@GLOBAL.time_zone, @@system_time_zone", &zone, &system); err != nil {
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
		case !c.Conn.IsMariaDB() && c.Conn.Version.Less(server.Version{8, 0, 19}):
			c.Warn(fmt.Sprintf("what %s computes of its TIMESTAMPs a restore computes in UTC, and not in %s: this server takes no times with their zone", t.Label, zone))
			continue
		case zone == systemZone:
			c.Warn(fmt.Sprintf("what %s computes of its TIMESTAMPs it has in the time zone of the server's machine, %s: a restore computes it in that of its own; a zone that the server itself is set to is in the dump", t.Label, system))
		}
		t.zone, t.machineZone = zone, system
		if c.Conn.IsMariaDB() {
			t.Zoned = t.Definition.UniqueOfComputed(stamps)
			continue
		}
		for i, col := range t.Columns {
			if slices.Contains(stamps, col.Name) {
				t.Columns[i].Read = "IF(" + col.Name + " = 0, '0000-00-00 00:00:00', CONCAT(" + col.Name + ", '+00:00'))"
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

// Enter is what comes before a table's rows, in whose zone they are computed, and leave what comes
// after them.
func (t *Table) Enter(p *guard.Printer, srv server.Info) {
	if t.zone != "" && !srv.IsMariaDB() {
		inZone(p, t.zone)
	}
}

func (t *Table) Leave(p *guard.Printer, srv server.Info) {
	if t.zone != "" && srv.IsMariaDB() {
		inZone(p, t.zone)
		add := ""
		for _, key := range t.Zoned {
			add += "\n  ADD " + key + ","
		}
		p.Stmt("ALTER TABLE %s%s FORCE, ALGORITHM=COPY", t.Name, add)
	}
	p.In(guard.Home())
}

func inZone(p *guard.Printer, zone string) {
	s := guard.Home()
	s.TimeZone = zone
	p.In(s)
}

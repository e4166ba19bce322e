package catalog

import (
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// sandbox has MariaDB's client refuse its commands from here on (CVE-2024-21096): those of 10.5.25,
// 10.6.18, 10.11.8 and later. Older ones stop here, at a command that they do not know; to that of
// MySQL it is a comment. It may stand in any line.
const sandbox = "/*M!999999\\- enable the sandbox mode */\n"

// PrintPreamble makes the loading session read the dump as it was written.
func PrintPreamble(p *guard.Printer, srv server.Info, databases []*Database, needs []string, own note.OwnName, position string, zones bool) {
	p.Out.WriteString(sandbox)
	p.Comment(note.Server+"%s %s", srv.Family, srv.Version)
	if position != "" {
		p.Comment("position of the binary log: %s", position)
	}
	if zones {
		p.Comment(note.TimeZones)
	}
	switch t := firstTable(databases, func(t *Table) bool { return t.zone != "" }); {
	case t == nil:
	case t.zone == systemZone:
		p.Comment(note.MachineZone+"%+q", t.machineZone)
	default:
		p.Comment(note.Zone+"%+q", t.zone)
	}
	if p.Qualified {
		for _, db := range databases {
			p.Comment(note.Database+"%+q", db.Name)
		}
	} else {
		printOwnNames(p, own)
	}
	p.Stmt("SET NAMES utf8mb4")
	p.Stmt("SET sql_mode = '%s', time_zone = '+00:00'", guard.LoadMode)
	for _, sql := range needs {
		p.Stmt("%s", sql)
	}
	p.At(guard.Home())
}

package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// ErrNoZone is returned of a server that cannot compute what the dump's has computed of its
// TIMESTAMPs.
var ErrNoZone = errors.New("the dump's tables have values that are computed of TIMESTAMPs in the time zone of their server")

// checkZone looks whether the server can compute in the dump's zone, before anything is changed.
func (d *nativeDump) checkZone(ctx context.Context) error {
	if d.notes.Zone != "" {
		var known bool
		if err := d.conn.Row(ctx, "SELECT CONVERT_TZ('2020-01-01 00:00:00', '+00:00', "+quote.Literal(d.notes.Zone)+") IS NOT NULL", &known); err != nil {
			return fmt.Errorf("ask for the time zone %s: %w", d.notes.Zone, err)
		}
		if !known {
			return fmt.Errorf("%w, %s, which this one does not know: load the time zones into it with mysql_tzinfo_to_sql or mariadb-tzinfo-to-sql", ErrNoZone, d.notes.Zone)
		}
	}
	if (d.notes.Zone != "" || d.notes.MachineZone != "") && !d.srv.IsMariaDB() && d.srv.Version.Less(server.Version{8, 0, 19}) {
		return fmt.Errorf("%w, written as MySQL 8.0.19 and later read them, and this one is %s", ErrNoZone, d.srv.Version)
	}
	return nil
}

// warnOfMachine says where a dump's server was in another zone than this one.
func (d *nativeDump) warnOfMachine(ctx context.Context) error {
	if d.notes.MachineZone == "" {
		return nil
	}
	var here string
	if err := d.conn.Row(ctx, "SELECT @@system_time_zone", &here); err != nil {
		return err
	}
	if here != d.notes.MachineZone {
		d.cfg.Warn(fmt.Sprintf("what tables compute of their TIMESTAMPs is computed anew in the time zone of this server's machine, %s; the dump's was in %s", here, d.notes.MachineZone))
	}
	return nil
}

// missingTimeZones is the warning about a server that does not, where the dump's does.
const missingTimeZones = "the dump's server knows time zones by their names, and this one does not: CONVERT_TZ gives NULL for them; load them with mysql_tzinfo_to_sql or mariadb-tzinfo-to-sql"

package load

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// account names what the server refuses of an account, and goes on: it may lack what the dump's
// server has, as a plugin or partial revokes, and one privilege of one user is not to cost all
// others theirs. What may be mended and tried again is an error.
func (d *nativeDump) account(ctx context.Context, st statement) error {
	if d.refused && !d.makesNone && d.srv.IsMariaDB() { // or a GRANT would make the user whom it has refused, without a password
		if err := d.conn.Exec(ctx, "SET @breaking_backups_mode = @@sql_mode, sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER')"); err != nil {
			return err
		}
		d.makesNone = true
	}
	err := d.send(ctx, st)
	if server.ErrorNumber(err) == 0 {
		return err
	}
	d.refused = true
	if server.IsError(err, toBeMended...) {
		return err
	}
	what := "is left out"
	if bytes.HasPrefix(st.sql, []byte("REVOKE ")) {
		what = "is left out, and the account may do more than it might"
	}
	d.cfg.Warn(fmt.Sprintf("line %d %s, as this server refuses it: %v", st.line, what, err))
	return nil
}

// toBeMended are errors of statements about accounts that say nothing of these: rights, locks, a
// server that takes no writes.
var toBeMended = []uint16{
	server.CodeDatabaseDenied, server.CodeAccessDenied, server.CodeTableDenied, server.CodeColumnDenied, server.CodePrivilegeNeeded, server.CodeRoutineDenied, server.CodeProxyDenied,
	server.CodeLockWaitTimeout, server.CodeDeadlock, server.CodeOptionPrevents, server.CodeReadOnlyMode,
}

// isAccounts tells whether a statement is one of those that make accounts, roles and what they may
// do.
func isAccounts(sql []byte) bool {
	return slices.ContainsFunc(
		[]string{"CREATE USER ", "ALTER USER ", "CREATE OR REPLACE ROLE ", "GRANT ", "REVOKE ", "SET DEFAULT ROLE "},
		func(begin string) bool { return bytes.HasPrefix(sql, []byte(begin)) },
	)
}

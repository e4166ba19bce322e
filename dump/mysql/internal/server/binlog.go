package server

import (
	"context"
	"fmt"
)

// LeaveBinlog keeps what the session changes out of the server's binary log, which takes a right.
func (c *Conn) LeaveBinlog(ctx context.Context) error {
	err := c.Exec(ctx, "SET sql_log_bin = 0")
	if err == nil {
		return nil
	}
	err = fmt.Errorf("keep the load out of the binary log: %w", err)
	if !IsError(err, CodePrivilegeNeeded) {
		return err
	}
	right := "SYSTEM_VARIABLES_ADMIN"
	switch {
	case c.AtLeast(MySQL, Version{8, 0, 14}):
		right = "SESSION_VARIABLES_ADMIN"
	case c.IsMariaDB():
		right = "BINLOG ADMIN"
	}
	me, holderErr := c.Holder(ctx)
	if holderErr != nil {
		return fmt.Errorf("%w; the account lacks the right %s", err, right)
	}
	return fmt.Errorf("%w; the account lacks a right: GRANT %s ON *.* TO %s", err, right, me.Name)
}

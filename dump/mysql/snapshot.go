package mysql

import (
	"context"
	"errors"
	"fmt"
)

// beginSnapshot starts the transaction whose moment is that of the dump.
const beginSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// Error numbers of the servers that say that they will not have it.
const (
	errAccessDenied        = 1045
	errTooManyConnections  = 1040
	errLockWaitTimeout     = 1205
	errTooManyForUser      = 1203
	errPrivilegeNeeded     = 1227
	errTooManyForUserSince = 1226
)

// openReaders opens n connections that see the same moment. Where the server
// has no room for so many, or does not let itself be stopped for that moment,
// there are fewer, and why is told. A reader alone needs nobody to stop.
func (s *Source) openReaders(ctx context.Context, srv server, n int) (readers []*conn, why string, err error) {
	defer func() {
		if err != nil {
			closeAll(readers)
		}
	}()
	for range n {
		r, _, err := s.open(ctx)
		if len(readers) > 0 && isError(err, errTooManyConnections, errTooManyForUser, errTooManyForUserSince) {
			why = err.Error()
			break
		}
		if err != nil {
			return readers, "", err
		}
		readers = append(readers, r)
	}
	if len(readers) > 1 {
		lock, err := s.stopCommits(ctx, srv)
		switch {
		case err == nil:
			defer lock.close() // which ends the lock
		case isError(err, errAccessDenied, errPrivilegeNeeded, errLockWaitTimeout) || errors.Is(err, errBusy):
			why = err.Error()
			closeAll(readers[1:])
			readers = readers[:1]
		default:
			return readers, "", err
		}
	}
	for _, r := range readers {
		if err := r.exec(ctx, beginSnapshot); err != nil {
			return readers, "", fmt.Errorf("begin the dump's transaction: %w", err)
		}
	}
	return readers, why, nil
}

// errBusy is returned where to stop the server for a moment would be to stop it for longer.
var errBusy = errors.New("a statement has been running for more than 5 seconds, and others would wait for its end")

// stopCommits keeps everybody from committing for as long as the connection
// that it returns is open.
func (s *Source) stopCommits(ctx context.Context, srv server) (c *conn, err error) {
	if c, _, err = s.open(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	statements := []string{"SET lock_wait_timeout = 5"}
	if srv.mariadb() {
		statements = append(statements, "BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT")
	} else {
		// The lock waits for the statements that use tables, and whoever comes
		// after it waits too, even when it has been given up.
		var long int
		const running = "SELECT COUNT(*) FROM performance_schema.processlist WHERE command IN ('Query', 'Execute') AND time > 5"
		if err := c.row(ctx, running, &long); err == nil && long > 0 {
			return nil, errBusy
		}
		statements = append(statements, "FLUSH TABLES WITH READ LOCK")
	}
	for _, sql := range statements {
		if err := c.exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return c, nil
}

// open opens a session with the settings of a dump.
func (s *Source) open(ctx context.Context) (*conn, server, error) {
	c, srv, err := connect(ctx, s.conn)
	if err != nil {
		return nil, srv, err
	}
	for _, sql := range s.session(srv) {
		if err := c.exec(ctx, sql); err != nil {
			c.close()
			return nil, srv, fmt.Errorf("set up the session: %s: %w", sql, err)
		}
	}
	return c, srv, nil
}

func closeAll(list []*conn) {
	for _, c := range list {
		c.close()
	}
}

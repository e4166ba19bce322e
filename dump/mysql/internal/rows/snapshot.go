package rows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// beginSnapshot starts the transaction whose moment is that of the dump.
const beginSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// A Snapshot is one moment of a server, seen by several connections.
type Snapshot struct {
	Readers  []*server.Conn
	Fewer    string // why there are fewer of them than asked for
	Position string // of the binary log at that moment, where asked for
}

func (p Snapshot) Close() { closeAll(p.Readers) }

// An Opener opens a session with the settings of a dump.
type Opener func(context.Context) (*server.Conn, error)

// TakeSnapshot opens n connections that see the same moment. Where the server has no room for so
// many, or does not let itself be stopped for that moment, there are fewer. A reader alone needs
// nobody to stop. With position it asks for that of the binary log too.
func TakeSnapshot(ctx context.Context, open Opener, n int, position bool) (p Snapshot, err error) {
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	for range n {
		r, err := open(ctx)
		if len(p.Readers) > 0 && server.IsError(err, server.CodeTooManyConnections, server.CodeTooManyForUser, server.CodeTooManyForUserSince) {
			p.Fewer = err.Error()
			break
		}
		if err != nil {
			return p, err
		}
		p.Readers = append(p.Readers, r)
	}
	mariadb := p.Readers[0].IsMariaDB()
	// MariaDB knows the position that belongs to a snapshot by itself.
	if len(p.Readers) > 1 || position && !mariadb {
		lock, err := stopCommits(ctx, open)
		switch {
		case err == nil:
			defer lock.Close() // which ends the lock
		case server.IsError(err, server.CodeAccessDenied, server.CodePrivilegeNeeded, server.CodeLockWaitTimeout) || errors.Is(err, errBusy):
			p.Fewer = err.Error()
			closeAll(p.Readers[1:])
			p.Readers = p.Readers[:1]
		default:
			return p, err
		}
	}
	for _, r := range p.Readers {
		if err := r.Exec(ctx, beginSnapshot); err != nil {
			return p, fmt.Errorf("begin the dump's transaction: %w", err)
		}
	}
	if position && (p.Fewer == "" || mariadb) {
		p.Position, err = readPosition(ctx, p.Readers[0])
	}
	return p, err
}

// readPosition asks for the position of the binary log that belongs to the snapshot of c: file,
// offset and GTIDs.
func readPosition(ctx context.Context, c *server.Conn) (string, error) {
	var file, offset, gtid string
	if c.IsMariaDB() {
		rows, err := c.List(ctx, "SHOW STATUS LIKE 'binlog_snapshot_%'")
		if err != nil {
			return "", fmt.Errorf("read the binary log's position: %w", err)
		}
		for _, r := range rows {
			switch r["variable_name"] {
			case "Binlog_snapshot_file":
				file = r["value"]
			case "Binlog_snapshot_position":
				offset = r["value"]
			}
		}
		if file != "" && guard.IntegerForm.MatchString(offset) {
			if err := c.Row(ctx, "SELECT COALESCE(BINLOG_GTID_POS("+quote.Literal(file)+", "+offset+"), '')", &gtid); err != nil {
				return "", fmt.Errorf("read the binary log's position: %w", err)
			}
		}
	} else {
		query := "SHOW BINARY LOG STATUS"
		if c.Version.Less(server.Version{8, 2, 0}) {
			query = "SHOW MASTER STATUS"
		}
		rows, err := c.List(ctx, query)
		if err != nil {
			return "", fmt.Errorf("read the binary log's position: %w", err)
		}
		for _, r := range rows {
			file, offset, gtid = r["file"], r["position"], strings.ReplaceAll(r["executed_gtid_set"], "\n", "")
		}
	}
	if file == "" {
		return "", errors.New("read the binary log's position: the server writes no binary log")
	}
	if err := guard.MustBe(guard.IntegerForm, "a position in the binary log", offset); err != nil {
		return "", err
	}
	return fmt.Sprintf("%+q %s %+q", file, offset, gtid), nil
}

// errBusy is returned where to stop the server for a moment would be to stop it for longer.
var errBusy = errors.New("a statement has been running for more than 5 seconds, and others would wait for its end")

// stopCommits keeps everybody from committing for as long as the connection that it returns is
// open.
func stopCommits(ctx context.Context, open Opener) (*server.Conn, error) {
	c, err := open(ctx)
	if err != nil {
		return nil, err
	}
	statements := []string{"SET lock_wait_timeout = 5"}
	if c.IsMariaDB() {
		statements = append(statements, "BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT")
	} else {
		// The lock waits for the statements that use tables, and whoever comes after it waits too,
		// even when it has been given up.
		var long int
		const running = "SELECT COUNT(*) FROM performance_schema.processlist WHERE command IN ('Query', 'Execute') AND time > 5"
		if err := c.Row(ctx, running, &long); err == nil && long > 0 {
			c.Close()
			return nil, errBusy
		}
		statements = append(statements, "FLUSH TABLES WITH READ LOCK")
	}
	for _, sql := range statements {
		if err := c.Exec(ctx, sql); err != nil {
			c.Close()
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return c, nil
}

func closeAll(list []*server.Conn) {
	for _, c := range list {
		c.Close()
	}
}

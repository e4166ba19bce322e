package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// open opens a session of the load.
func (s *loading) open(ctx context.Context) (*server.Conn, error) {
	c, err := server.Open(ctx, s.cfg.Driver, server.ForLoad, s.cfg.LockTimeout)
	if err == nil && s.cfg.NoBinlog {
		if err = c.LeaveBinlog(ctx); err != nil {
			c.Close()
		}
	}
	return c, err
}

// connect opens the session in which the statements run.
func (s *loading) connect(ctx context.Context) (err error) {
	if s.conn, err = s.open(ctx); err != nil {
		return err
	}
	s.srv = s.conn.Info
	s.conn.WarnOfPlain(s.cfg.Warn, s.cfg.Server)
	if err := s.conn.Row(ctx, "SELECT @@max_allowed_packet", &s.packet); err != nil {
		return fmt.Errorf("read the server's max_allowed_packet: %w", err)
	}
	err = s.conn.Row(ctx, "SELECT @@GLOBAL.innodb_stats_auto_recalc", &s.recalculates)
	if err != nil && !server.IsError(err, server.CodeNoSuchVariable) { // which a server without InnoDB does not have
		return fmt.Errorf("read the server's innodb_stats_auto_recalc: %w", err)
	}
	if longest := s.cfg.Found.Longest; longest > s.packet-server.PacketHead && !s.refusals.goesOn() {
		return fmt.Errorf("a row of the dump: %w", server.NewPacketError(longest, s.packet))
	}
	return s.readMode(ctx)
}

// send runs a statement, in parts where it is too long for the server. Where the load goes on
// behind what the server refuses, it does so behind each part of rows.
func (s *loading) send(ctx context.Context, st statement) error {
	if err := s.beginTaken(ctx, st); err != nil {
		return err
	}
	for part := range script.Split(st.sql, s.packet-server.PacketHead, s.mode) {
		rows, err := s.exec(ctx, s.conn, borrowed(part))
		// What the server refuses is not done; of what ends otherwise nobody knows.
		if err == nil && !script.IsSetting(part) || err != nil && server.ErrorNumber(err) == 0 {
			s.touched = true
		}
		if st.rows {
			err = s.sent(ctx, st, part, rows, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sent takes note of what became of a part of a statement with rows.
func (s *loading) sent(ctx context.Context, st statement, part []byte, rows int64, err error) error {
	if !s.refusals.goesOn() {
		return err
	}
	if err == nil {
		s.taken.add(st.table, rows)
		return nil
	}
	st.sql = part
	if s.isPassed(err) {
		stayed, countErr := s.torn(ctx, st)
		if countErr != nil {
			return countErr
		}
		st.stayed = stayed
	}
	return s.pass(st, err)
}

// exec runs a statement, and has the rows of an INSERT counted. It keeps nothing of sql.
func (s *loading) exec(ctx context.Context, c *server.Conn, sql string) (rows int64, err error) {
	s.refusals.ran()
	return s.try(ctx, c, sql)
}

// try is exec without counting the statement, which may be tried several times.
func (s *loading) try(ctx context.Context, c *server.Conn, sql string) (rows int64, err error) {
	if len(sql)+1 > s.packet { // behind a byte that says what it is
		return 0, failed(sql, server.NewPacketError(len(sql), s.packet))
	}
	rows, err = c.Change(ctx, sql)
	if err != nil {
		return 0, failed(sql, err)
	}
	if script.IsInsert(sql) {
		s.count(sql, rows)
	}
	return rows, nil
}

// readMode asks the server how the session reads text. In another way than the dump has set it, the
// dump was parted into statements otherwise than it is meant.
func (s *loading) readMode(ctx context.Context) error {
	var value string
	if err := s.conn.Row(ctx, "SELECT @@sql_mode", &value); err != nil {
		return err
	}
	mode := script.SQLMode(value)
	if mode != s.session.Mode() {
		return fmt.Errorf("the session's sql_mode is %q, in which text is read otherwise than the dump was", value)
	}
	s.mode = mode | readsAs(s.srv)
	return nil
}

// failed says which statement failed.
func failed(sql string, err error) error {
	var me *mysql.MySQLError
	if errors.As(err, &me) && me.Number == server.CodeParse {
		// The server quotes what follows; a row has no place in a log.
		short := *me
		short.Message, _, _ = strings.Cut(me.Message, " near '")
		err = &short
	}
	return &statementError{script.Head(sql), err}
}

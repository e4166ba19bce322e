package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unsafe"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A loading is one Load under way.
type loading struct {
	*Loader
	dump     *script.Reader
	plan     plan
	conn     *server.Conn
	srv      server.Info
	mode     script.Mode // in which the session reads text
	packet   int         // the longest statement that the server takes, in bytes
	database string      // that is used
	into     []string    // databases that room was made in
	gone     []string    // what Clean has dropped so far
	touched  bool        // something of the dump is there, or may be
	fail     context.CancelCauseFunc
	compared *dump.Comparison // nil: nothing was

	// count is told of each INSERT how many rows the server took, by several goroutines: of our
	// dumps it is nativeDump.count, of mysqldump's nobody counts. It keeps nothing of sql.
	count func(sql string, rows int64)
}

// A plan is what differs between this program's dumps and mysqldump's.
type plan interface {
	// note takes note of a comment, and returns the statement that it holds, if it is one that only
	// this program runs. native runs that.
	note(text string) (native string, err error)
	native(ctx context.Context, item script.Item) error
	// route refuses a statement that leads where the dump may not go, and takes note of the
	// databases that it names. It is asked of every statement, with or without a server, and of
	// each before it runs.
	route(sql []byte) error
	// read takes note of a statement that does not run: it is read without a server.
	read(sql []byte)
	// statement runs a statement, or has it run.
	statement(ctx context.Context, item script.Item) error
	// end is called after the last statement. whole is what of that needs no server: it returns an
	// error for a dump that is cut short or not as it says of itself, or the databases that it has
	// named on its way.
	end(ctx context.Context) error
	whole() (named []string, err error)
	// close waits for what still runs, which is soon when the context is cancelled.
	close()
}

func (s *loading) disconnect() {
	s.plan.close()
	if s.conn != nil {
		s.conn.Close()
	}
}

// open opens a session of the load.
func (l *Loader) open(ctx context.Context) (*server.Conn, error) {
	return server.Open(ctx, l.conn, server.ForLoad, l.cfg.LockTimeout)
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
	if s.longest > s.packet-server.PacketHead {
		return fmt.Errorf("a row of the dump: %w", server.NewPacketError(s.longest, s.packet))
	}
	return nil
}

// load runs the dump's items.
func (s *loading) load(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.tellMode(ctx); err != nil {
		return err
	}
	for {
		item, err := s.dump.Next()
		if err == io.EOF {
			return s.plan.end(ctx)
		}
		if err != nil {
			return err
		}
		if item.Kind == script.Comment {
			err = s.comment(ctx, item)
		} else {
			err = s.plan.statement(ctx, item)
		}
		if err == nil && item.SetsMode {
			err = s.tellMode(ctx)
		}
		if err != nil {
			return atLine(item.Line, err)
		}
	}
}

func (s *loading) comment(ctx context.Context, item script.Item) error {
	native, err := s.plan.note(string(item.Text))
	if native == "" || err != nil {
		return err
	}
	return s.plan.native(ctx, script.Item{Line: item.Line, Text: []byte(native)})
}

// atLine adds to an error of a statement where in the dump it is.
func atLine(line int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// run runs an item's statement, in parts where it is too long for the server.
func (s *loading) run(ctx context.Context, item script.Item) error {
	for part := range script.Split(item.Text, s.packet-server.PacketHead, s.mode) {
		err := s.exec(ctx, s.conn, borrowed(part))
		// What the server refuses is not done; of what ends otherwise nobody knows.
		if err == nil && !script.IsSetting(part) || err != nil && server.ErrorNumber(err) == 0 {
			s.touched = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare makes room for the dump where it goes. named are the databases of a dump of several.
func (s *loading) prepare(ctx context.Context, named []string) error {
	p, err := s.place(ctx, named)
	if err != nil {
		return err
	}
	s.into = append(s.into, p.target.Databases...)
	p.target.Databases = s.into
	s.cfg.Into(p.target)
	return s.clear(ctx, p)
}

// borrowed is a statement's text without a copy, for as long as the reader of the dump leaves it
// alone.
func borrowed(sql []byte) string { return unsafe.String(unsafe.SliceData(sql), len(sql)) }

// exec runs a statement, and has the rows of an INSERT counted. It keeps nothing of sql.
func (s *loading) exec(ctx context.Context, c *server.Conn, sql string) error {
	if len(sql)+1 > s.packet { // behind a byte that says what it is
		return statementError(sql, server.NewPacketError(len(sql), s.packet))
	}
	rows, err := c.Change(ctx, sql)
	if err != nil {
		return statementError(sql, err)
	}
	if script.IsInsert(sql) {
		s.count(sql, rows)
	}
	return nil
}

// tellMode tells the reader how the session reads text.
func (s *loading) tellMode(ctx context.Context) error {
	var mode string
	if err := s.conn.Row(ctx, "SELECT @@sql_mode", &mode); err != nil {
		return err
	}
	s.mode = script.SQLMode(mode) | readsAs(s.srv)
	s.dump.SetMode(s.mode)
	return nil
}

// statementError says which statement failed.
func statementError(sql string, err error) error {
	var me *mysql.MySQLError
	if errors.As(err, &me) && me.Number == server.CodeParse {
		// The server quotes what follows; a row has no place in a log.
		short := *me
		short.Message, _, _ = strings.Cut(me.Message, " near '")
		err = &short
	}
	return fmt.Errorf("%s: %w", script.Head(sql), err)
}

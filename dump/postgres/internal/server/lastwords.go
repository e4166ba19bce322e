package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrEnded is returned where a session has ended while it was needed, whoever has ended it.
var ErrEnded = errors.New("the connection to the server has ended")

// lastWords is where a connection's CustomData keeps what the server said before it went.
const lastWords = "last words"

// listen keeps what the server says before it goes. Where it has no time to end its sessions one by
// one, because it is told to stop at once or one of its processes has crashed, that is a warning
// and no error (postgres.c, quickdie).
func listen(cc *pgx.ConnConfig) {
	cc.OnNotice = func(conn *pgconn.PgConn, notice *pgconn.Notice) {
		if words := LastWords(notice.Severity, notice.Message, notice.Code); words != "" {
			conn.CustomData()[lastWords] = words
		}
	}
}

// LastWords are those of a notice that says why the session ends; empty: it says something else.
func LastWords(severity, message, code string) string {
	if !strings.HasPrefix(code, "57P") { // operator intervention
		return ""
	}
	return fmt.Sprintf("%s: %s (SQLSTATE %s)", severity, message, code)
}

// Ended makes an error of a connection that has ended say so, with the server's last words.
func Ended(conn *pgconn.PgConn, err error) error {
	var pe *pgconn.PgError
	switch {
	case err == nil || errors.Is(err, ErrEnded) || !conn.IsClosed():
		return err
	case errors.As(err, &pe):
		if pe.SeverityUnlocalized == "ERROR" {
			return err
		}
		return fmt.Errorf("%w: %w", ErrEnded, err)
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	}
	words, _ := conn.CustomData()[lastWords].(string)
	return HungUp(words, err)
}

// HungUp makes an error of reading from a server that has gone say so, with its last words if it
// had any.
func HungUp(words string, err error) error {
	switch {
	case err == nil:
		return nil
	case words != "":
		return fmt.Errorf("%w: %s: %w", ErrEnded, words, err)
	case err.Error() == "conn closed": // the driver has forgotten what it met
		return fmt.Errorf("%w; the server has not said why, its log may", ErrEnded)
	case isHungUp(err):
		return fmt.Errorf("%w; the server has not said why, its log may: %w", ErrEnded, err)
	}
	return err
}

// isHungUp tells whether an error of reading or writing is that the other side is gone.
func isHungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// HearOut makes cc's connections heed what the server says when it ends one that is being written
// to. Writing is what fails then, and the driver closes what it cannot write to, with the server's
// words in it, unread.
func HearOut(cc *pgx.ConnConfig) {
	dial := cc.DialFunc
	cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &heardOut{Conn: conn}, nil
	}
}

// A heardOut is a connection to which writing succeeds when nobody takes it any more: that is for
// reading to say, which comes to what was said before the end, and to the end.
type heardOut struct{ net.Conn }

func (c *heardOut) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && isHungUp(err) {
		return len(p), nil
	}
	return n, err
}

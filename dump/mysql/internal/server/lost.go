package server

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// ErrLost is returned of a connection that ended in the middle: the server has ended it, or is no
// more, or the way to it is gone.
var ErrLost = errors.New("the connection to the server was lost")

// A lostError is an ErrLost in other words.
type lostError string

func (e lostError) Error() string { return string(e) }
func (e lostError) Unwrap() error { return ErrLost }

// lastWords keeps what the driver logs of a connection that broke: its error says only that it did.
type lastWords struct {
	sync.Mutex
	text string
}

func (l *lastWords) Print(v ...any) {
	l.Lock()
	defer l.Unlock()
	l.text = place.ReplaceAllString(strings.TrimSpace(fmt.Sprintln(v...)), "")
}

// place matches where in the driver its log was written.
var place = regexp.MustCompile(`^[a-z_]+\.go:[0-9]+\s*`)

func (l *lastWords) take() string {
	l.Lock()
	defer l.Unlock()
	text := l.text
	l.text = ""
	return text
}

// Explain puts a cause in the place of the driver's word that a connection broke.
func (c *Conn) Explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if IsError(err, endings...) {
		return fmt.Errorf("the server has ended the connection, with the words: %w", err)
	}
	why := ""
	var broken *net.OpError // the driver logs some, and returns others
	switch {
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		why = c.last.take()
	case errors.As(err, &broken) && broken.Op != "dial", errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		why = err.Error()
	default:
		return err
	}
	for _, end := range []string{"EOF", "connection reset by peer", "broken pipe"} {
		if strings.HasSuffix(why, end) {
			return lostError("the server has ended the connection, without a word (" + end + ")")
		}
	}
	if why != "" {
		return fmt.Errorf("%w: %s", ErrLost, why)
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

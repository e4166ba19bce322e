package server

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// An endedError is that of a connection that has ended while a command was under way: the server
// died, was ended, or is no longer reached. The driver's own is about sockets and pools.
type endedError struct {
	err  error
	last error // what the server has said of its end before; nil: nothing
}

func (e *endedError) Error() string {
	cause := e.last
	if cause == nil {
		cause = root(e.err)
	}
	return "the server ended the connection: " + cause.Error()
}

func (e *endedError) Unwrap() error { return e.err }

// shutdownCodes are those by which a server says that it ends.
var shutdownCodes = []int{
	91,    // ShutdownInProgress
	11600, // InterruptedAtShutdown
}

// Ended says of an error that the server's end is its cause, where it is, and any other it returns
// as it is. Of several commands under way one may be told of a shutdown, and the others find their
// connections closed: what was said to one goes for all.
func (c *Conn) Ended(err error) error {
	if _, already := errors.AsType[*endedError](err); already {
		return err
	}
	if slices.ContainsFunc(shutdownCodes, func(code int) bool { return HasCode(err, code) }) {
		c.lastWords.CompareAndSwap(nil, &err)
		return &endedError{err: err, last: err}
	}
	ended := &endedError{err: err}
	if selection, none := errors.AsType[topology.ServerSelectionError](err); none { // it ended between two commands
		if ended.last = lastErrors(selection); ended.last == nil || errors.Is(err, context.Canceled) {
			return err
		}
	} else if !isEnd(err) {
		return err
	}
	if last := c.lastWords.Load(); last != nil {
		ended.last = *last
	}
	return ended
}

// lastErrors are why none of the servers is reached any more; nil: they are, and none is a primary.
func lastErrors(selection topology.ServerSelectionError) error {
	var why []error
	for _, s := range selection.Desc.Servers {
		if s.LastError != nil {
			why = append(why, root(s.LastError))
		}
	}
	return errors.Join(why...)
}

// isEnd tells an error of a connection that the other side has ended, or that can no longer be
// made, from one of a context, or of patience.
func isEnd(err error) bool {
	if isCleared(err) {
		return true
	}
	if !mongo.IsNetworkError(err) {
		return false
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// isCleared tells of a command that was not sent, as the driver was closing its connections: that
// of another command had ended.
func isCleared(err error) bool {
	var cleared driver.RetryablePoolError
	return errors.As(err, &cleared)
}

// root is what all errors around it are about.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

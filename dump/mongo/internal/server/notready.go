package server

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
)

// notReady are the ends of a way to a server that may be another in a moment.
var notReady = []error{
	dump.ErrNoAnswer, context.DeadlineExceeded,
	syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENOENT, // the last of a socket's file
	syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, // a server that starts, or what passes connections on to it
}

// IsNotReady tells why Connect has failed where waiting may help: nobody listens, the server's name
// is not known, it does not answer, hangs up, or says itself that it is none to be asked yet. What
// it says of a user, or of TLS, stays as it is.
func IsNotReady(err error) bool {
	if errors.As(err, new(*dump.NotReadyError)) || errors.As(err, new(*net.DNSError)) {
		return true
	}
	if said, ok := errors.AsType[mongo.ServerError](err); ok && slices.ContainsFunc(electionCodes, said.HasErrorCode) {
		return true
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	return slices.ContainsFunc(notReady, func(end error) bool { return errors.Is(err, end) })
}

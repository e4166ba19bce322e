package server

import (
	"errors"
	"io/fs"
	"net"

	"github.com/breaking-backups/breaking-backups/dump"
)

// MayComeUp tells whether a server that was not reached, by an error of Connect's, may be reached
// later: nobody listens yet, its name or its socket is not there yet, it does not answer, or it
// ends the connection as one does that is starting or being shut down. What it says about who asks
// lasts, and so do certificates.
func MayComeUp(err error) bool {
	var dial *net.OpError
	var address *net.AddrError
	switch {
	case errors.Is(err, fs.ErrPermission), errors.As(err, &address):
		return false
	case errors.As(err, &dial) && dial.Op == "dial":
		return true
	}
	return errors.Is(err, dump.ErrNoAnswer) || errors.Is(err, ErrLost) || IsError(err, endings...)
}

package server

import (
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// A server takes no statement longer than its max_allowed_packet, and one row at least is a
// statement: what one server has taken in, another may refuse. So what a dump's rows need is said
// while it is made, in it, and before it is loaded where it was read to its end before.

const (
	// LeastPacket is what every server and client takes unless somebody has set it lower, in bytes:
	// MariaDB's default.
	LeastPacket = 16 << 20
	// LargestPacket is what no max_allowed_packet can be more than, in bytes.
	LargestPacket = 1 << 30
)

// A PacketError is returned for a statement that is longer than the server takes.
type PacketError struct {
	Needed  int // the max_allowed_packet that would do, in bytes; it may be more than there is
	Allowed int // the server's, in bytes
}

// NewPacketError is for a statement of that length.
func NewPacketError(length, allowed int) *PacketError {
	return &PacketError{PacketFor(length), allowed}
}

func (e *PacketError) Error() string {
	return fmt.Sprintf("it takes a max_allowed_packet of %d bytes, and the server's is %d", e.Needed, e.Allowed)
}

// Unwrap is the driver's word for it.
func (e *PacketError) Unwrap() error { return mysql.ErrPktTooLarge }

// PacketFor is the max_allowed_packet that a statement of that length takes: servers round it down
// to 1024 bytes.
func PacketFor(length int) int { return (length + PacketHead + 1023) / 1024 * 1024 }

// PacketHead is what a statement's packet holds besides the statement, and some bytes to be safe.
const PacketHead = 64

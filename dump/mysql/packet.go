package mysql

import (
	"context"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// A server takes no statement longer than its max_allowed_packet, and one row at least is a statement: what one server
// has taken in, another may refuse. So what a dump's rows need is said while it is made, in it, and before it is loaded
// where it was read to its end before.

const (
	// leastPacket is what every server and client takes unless somebody has set it lower, in bytes: MariaDB's default.
	leastPacket = 16 << 20
	// largestPacket is what no max_allowed_packet can be more than, in bytes.
	largestPacket = 1 << 30
)

// needs takes note of the longest statement that inserts a row of the table, in bytes.
func (p *printer) needs(t *table, length int) {
	if length > p.packet {
		p.packet, p.longest = length, t
	}
}

// packets says in the dump what its longest row takes, and warns where that is more than the server itself would take
// now: rows come into a table by ways that no packet bounds, and the bound may have been lowered since.
func (p *printer) packets(ctx context.Context, c *catalog) error {
	needed := packetFor(p.packet)
	if needed > leastPacket {
		p.comment("a row takes a max_allowed_packet of %d bytes, of the server and of its client", needed)
	}
	if p.packet <= statementLimit {
		return nil
	}
	var allowed int
	if err := c.conn.row(ctx, "SELECT @@GLOBAL.max_allowed_packet", &allowed); err != nil {
		return fmt.Errorf("read the server's max_allowed_packet: %w", err)
	}
	switch {
	case needed > largestPacket:
		p.warn(fmt.Sprintf("a row of %s takes a statement of %d bytes, and no server takes one of more than %d: the dump has it, and cannot be restored with it", p.longest.label, p.packet, largestPacket))
	case needed > allowed:
		p.warn(fmt.Sprintf("a row of %s takes a max_allowed_packet of %d bytes to be restored, and the server's is %d: SET GLOBAL max_allowed_packet = %[2]d where the dump goes", p.longest.label, needed, allowed))
	}
	return nil
}

// A PacketError is returned for a statement that is longer than the server takes.
type PacketError struct {
	Needed  int // the max_allowed_packet that would do, in bytes; it may be more than there is
	Allowed int // the server's, in bytes
}

// newPacketError is for a statement of that length.
func newPacketError(length, allowed int) *PacketError {
	return &PacketError{packetFor(length), allowed}
}

func (e *PacketError) Error() string {
	return fmt.Sprintf("it takes a max_allowed_packet of %d bytes, and the server's is %d", e.Needed, e.Allowed)
}

// Unwrap is the driver's word for it.
func (e *PacketError) Unwrap() error { return mysql.ErrPktTooLarge }

// packetFor is the max_allowed_packet that a statement of that length takes: servers round it down to 1024 bytes.
func packetFor(length int) int { return (length + packetHead + 1023) / 1024 * 1024 }

// packetHead is what a statement's packet holds besides the statement, and some bytes to be safe.
const packetHead = 64

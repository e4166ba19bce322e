package rows

import (
	"context"
	"fmt"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// needs takes note of the longest statement that inserts a row of the table, in bytes.
func (w *Writer) needs(t *catalog.Table, length int) {
	if length > w.packet {
		w.packet, w.longest = length, t
	}
}

// Packets says in the dump what its longest row takes, and warns where that is more than the server
// itself would take now: rows come into a table by ways that no packet bounds, and the bound may
// have been lowered since.
func (w *Writer) Packets(ctx context.Context, p *guard.Printer) error {
	needed := server.PacketFor(w.packet)
	if needed > server.LeastPacket {
		p.Comment("a row takes a max_allowed_packet of %d bytes, of the server and of its client", needed)
	}
	if w.packet <= script.InsertLimit {
		return nil
	}
	var allowed int
	if err := w.catalog.Conn.Row(ctx, "SELECT @@GLOBAL.max_allowed_packet", &allowed); err != nil {
		return fmt.Errorf("read the server's max_allowed_packet: %w", err)
	}
	switch {
	case needed > server.LargestPacket:
		p.Warn(fmt.Sprintf("a row of %s takes a statement of %d bytes, and no server takes one of more than %d: the dump has it, and cannot be restored with it", w.longest.Label, w.packet, server.LargestPacket))
	case needed > allowed:
		p.Warn(fmt.Sprintf("a row of %s takes a max_allowed_packet of %d bytes to be restored, and the server's is %d: SET GLOBAL max_allowed_packet = %[2]d where the dump goes", w.longest.Label, needed, allowed))
	}
	return nil
}

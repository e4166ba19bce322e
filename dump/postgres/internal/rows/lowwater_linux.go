package rows

import (
	"net"

	"golang.org/x/sys/unix"
)

// lowWaterSetter returns what sets how many bytes a read waits for (SO_RCVLOWAT), or nil for what
// is no TCP socket: others do not heed it.
func lowWaterSetter(conn net.Conn) func(int) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return func(bytes int) (err error) {
		if failed := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
		}); failed != nil {
			return failed
		}
		return err
	}
}

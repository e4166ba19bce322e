//go:build !linux

package rows

import "net"

// lowWaterSetter returns nil: reads take what there is.
func lowWaterSetter(net.Conn) func(int) error { return nil }

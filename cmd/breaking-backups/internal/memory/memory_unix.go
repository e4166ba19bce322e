//go:build unix

package memory

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorUsed is the processor time that the program has used, by itself and in the system.
func processorUsed() time.Duration {
	var used unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

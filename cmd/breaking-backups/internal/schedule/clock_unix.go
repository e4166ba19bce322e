//go:build unix

package schedule

import (
	"time"

	"golang.org/x/sys/unix"
)

func (systemClock) passed() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clockWithSleep, &t); err != nil { // an old or a made-up kernel: as good, where none sleeps
		return time.Since(processStart)
	}
	return time.Duration(t.Nano())
}

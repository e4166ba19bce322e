//go:build unix && !linux

package schedule

import "golang.org/x/sys/unix"

// clockWithSleep counts time that passes; on macOS also while the machine is suspended.
const clockWithSleep = unix.CLOCK_MONOTONIC

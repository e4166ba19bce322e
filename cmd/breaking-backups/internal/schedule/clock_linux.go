package schedule

import "golang.org/x/sys/unix"

// clockWithSleep counts time that passes, also while the machine is suspended. Go's own reading
// does not.
const clockWithSleep = unix.CLOCK_BOOTTIME

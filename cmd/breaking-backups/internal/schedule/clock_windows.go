package schedule

import "time"

// passed is Go's own reading, which may not count the machine's sleep. No schedule runs here.
func (systemClock) passed() time.Duration { return time.Since(processStart) }

package dump

import "runtime"

// LoadJobs is how many sessions a load has: so many as are asked for, and where that is 0 the
// smaller of 4 and the processors of this side, as every engine's loader has it.
func LoadJobs(asked int) int {
	if asked == 0 {
		return min(4, runtime.GOMAXPROCS(0)) // which knows a container's limit
	}
	return asked
}

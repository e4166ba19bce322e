package memory

import (
	"time"

	"golang.org/x/sys/windows"
)

// processorUsed is the processor time that the program has used, by itself and in the system.
func processorUsed() time.Duration {
	var made, ended, system, own windows.Filetime
	_ = windows.GetProcessTimes(windows.CurrentProcess(), &made, &ended, &system, &own)
	span := func(t windows.Filetime) time.Duration { // a length of time, of which Filetime's own methods would make a date
		return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
	}
	return span(system) + span(own)
}

// Package memory is what the program takes of the machine's: how much garbage there may be, and a
// bound that is too low for it.
package memory

import (
	"log/slog"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// gcPercent is how much garbage there may be, in percent of what is in use, before it is collected.
// Rows pass through buffers that are used again and make none; what is in use is what is known of a
// database's definitions. By Go's own 100 a dump of 10,000 tables takes 156 MiB, by this 115, in
// the same time. A container's limit counts the peak.
const gcPercent = 50

// CollectEarly makes it so, unless the environment says what it wants (GOGC).
func CollectEarly(env []string) {
	if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(gcPercent)
	}
}

// look is how often a program with a bound on its memory is looked at.
const look = 10 * time.Second

// Watch warns, once, when the bound that the environment sets on memory (GOMEMLIMIT) is less than
// what the program needs. stop ends the watch.
func Watch(log *slog.Logger) (stop func()) { return watch(log, look) }

// watch looks every so often. Under a bound that is too low the program collects garbage without
// end, at several times the processor time, and still takes more. stop looks once more, and ends
// the watch. Without a bound there is nothing to watch.
func watch(log *slog.Logger, every time.Duration) (stop func()) {
	bound := debug.SetMemoryLimit(-1) // only asks
	if bound == math.MaxInt64 {
		return func() {}
	}
	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		began, before := time.Now(), readProcessorTime()
		for over := false; !over; {
			select {
			case <-tick.C:
			case <-end:
				over = true
			}
			now, took := readProcessorTime(), time.Since(began)
			collecting, all := now.collecting-before.collecting, now.all-before.all
			atBound := now.memory > uint64(bound)/10*9
			if atBound && collecting > all/3 && collecting > took.Seconds()/10 { // a tenth of a processor: it is felt
				log.Warn("GOMEMLIMIT is less than the program needs: it collects garbage again and again",
					"limit", terminal.Size(uint64(bound)), "in_use", terminal.Size(now.memory))
				return
			}
			began, before = time.Now(), now
		}
	})
	return func() {
		close(end)
		watching.Wait()
	}
}

// processorTime is what the program has used, in seconds.
type processorTime struct {
	collecting float64 // garbage, as of the last collection
	all        float64
	memory     uint64 // bytes that it has of the system
}

func readProcessorTime() processorTime {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return processorTime{
		collecting: samples[0].Value.Float64(),
		all:        processorUsed().Seconds(), // Go's own count of what is no collection takes waiting for the system to be work
		memory:     samples[1].Value.Uint64() - samples[2].Value.Uint64(),
	}
}

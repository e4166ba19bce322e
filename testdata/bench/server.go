package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// server is the process of the server that is read from, 0 where it is not looked at. What it does
// for either side shares the machine with that side, and often decides.
var server int

// findServer sets server by a command that prints its id.
func findServer(script string) error {
	if script == "" {
		return nil
	}
	out, err := output(script)
	if err != nil {
		return err
	}
	if server, err = strconv.Atoi(strings.TrimSpace(out)); err != nil {
		return fmt.Errorf("the server's process: %w", err)
	}
	return nil
}

// serverTime is the processor time of the server and of those of its children that have ended, in
// seconds.
func serverTime() (float64, error) {
	if server == 0 {
		return 0, nil
	}
	// A session's process may outlive its client by a moment.
	time.Sleep(200 * time.Millisecond)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", server))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before that may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields", server, len(fields))
	}
	ticks := 0.0
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", server, err)
		}
		ticks += n
	}
	return ticks / 100, nil // Linux counts hundredths for programs, whatever it does itself
}

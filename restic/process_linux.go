package restic

import (
	"fmt"
	"os"
	"syscall"
)

// childAttributes puts restic into a process group of its own, so that a Ctrl-C on the terminal reaches only us and we
// alone decide how restic ends, and has the kernel kill it when we die: it must not sit on the repository's lock
// waiting for input that nobody will send.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// moved is how many bytes a process of ours has read and written so far, be it files, pipes or connections (proc(5), io).
// It is not known of one that has ended, nor where a process may not look at its children.
func moved(pid int) (bytes uint64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, false
	}
	var read, written uint64
	if n, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d\n", &read, &written); n != 2 || err != nil {
		return 0, false
	}
	return read + written, true
}

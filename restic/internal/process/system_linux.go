package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes puts restic into a process group of its own, so that a Ctrl-C on the terminal
// reaches only us and we alone decide how restic ends, and has the kernel kill it when we die: it
// must not sit on the repository's lock waiting for input that nobody will send.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// moved is how many bytes a process of ours and those that it has started (rclone, ssh) have read
// and written so far, be it files, pipes or connections (proc(5), io). It is not known of one that
// has ended, nor where a process may not look at its children. It may go down, when one of those
// has ended.
func moved(pid int) (bytes uint64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, false
	}
	var read, written uint64
	if n, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d\n", &read, &written); n != 2 || err != nil {
		return 0, false
	}
	bytes = read + written
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for child := range strings.FieldsSeq(string(text)) {
			if id, err := strconv.Atoi(child); err == nil {
				more, _ := moved(id)
				bytes += more
			}
		}
	}
	return bytes, true
}

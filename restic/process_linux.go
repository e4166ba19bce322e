package restic

import "syscall"

// childAttributes puts restic into a process group of its own, so that a Ctrl-C on the terminal reaches only us and we
// alone decide how restic ends, and has the kernel kill it when we die: it must not sit on the repository's lock
// waiting for input that nobody will send.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

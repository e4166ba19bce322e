//go:build unix && !linux

package process

import "syscall"

// childAttributes puts restic into a process group of its own, so that a Ctrl-C on the terminal
// reaches only us and we alone decide how restic ends. Nothing here kills it when we die; a backup
// then waits for its input forever, without ever taking what it has for the whole.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// moved is not known here.
func moved(int) (bytes uint64, ok bool) { return 0, false }

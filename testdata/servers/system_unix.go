//go:build unix

package servers

import (
	"os"
	"os/exec"
	"syscall"
)

func (a account) apply(cmd *exec.Cmd) {
	if a.other {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
}

func setOwnGroup(attr *syscall.SysProcAttr) { attr.Setpgid = true }

// signalGroup signals a child and whatever it has started. The error is ESRCH when none of them is
// left.
func signalGroup(pid int, sig syscall.Signal) error { return syscall.Kill(-pid, sig) }

// flock locks an open file until it is closed, waiting for another that has the lock or failing.
func flock(file *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	return syscall.Flock(int(file.Fd()), how)
}

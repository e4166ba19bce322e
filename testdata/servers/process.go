package servers

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A process is a child that does not outlive us.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has been waited for
}

// startProcess starts cmd with onDeath as the signal it gets when this process dies. The kernel
// ties that signal to the thread that started the child, not to the process, so the thread is kept
// until the child is gone.
func startProcess(cmd *exec.Cmd, onDeath syscall.Signal) (*process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A group of its own: Ctrl-C in the terminal is for us, we end the server.
	setOwnGroup(cmd.SysProcAttr)
	setParentDeathSignal(cmd.SysProcAttr, onDeath)

	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how a server ends is of no interest, that it has is
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop sends sig and waits for the end, with SIGKILL after grace.
func (p *process) stop(sig syscall.Signal, grace time.Duration) error {
	if p.exited() {
		return nil
	}
	_ = p.cmd.Process.Signal(sig) // it may just have ended: the wait below tells
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return fmt.Errorf("stop %s: still there %v after %v, killed", p.cmd.Path, grace, sig)
}

// stopGroup is stop for a child that may have children of its own, which are signalled and waited
// for as well.
func (p *process) stopGroup(sig syscall.Signal, grace time.Duration) {
	group := p.cmd.Process.Pid
	_ = signalGroup(group, sig)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(grace)
	for {
		select {
		case <-poll.C:
			if p.exited() && errors.Is(signalGroup(group, 0), syscall.ESRCH) {
				return
			}
		case <-deadline:
			_ = signalGroup(group, syscall.SIGKILL)
			<-p.done
			return
		}
	}
}

var errExited = errors.New("ended before it was ready")

// waitReady polls ready until it says true, the child ends or limit is over.
func (p *process) waitReady(limit time.Duration, ready func() bool) error {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		if ready() {
			return nil
		}
		select {
		case <-poll.C:
		case <-p.done:
			return errExited
		case <-deadline.C:
			return fmt.Errorf("not ready after %v", limit)
		}
	}
}

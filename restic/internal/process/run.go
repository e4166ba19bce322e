package process

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
)

// Run starts restic and returns when it has ended and all it wrote has been read. A nil error is
// exit status 0. When ctx ends restic is interrupted, given Grace, and killed.
func (p *Program) Run(ctx context.Context, command Command) error {
	// Linux ties Pdeathsig to the thread that forked, not to the process: if that thread ended,
	// restic would be killed in the middle of its work. So the thread stays with this call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stderr := &stderr{said: p.said(cancel)}
	cmd := p.prepare(ctx, command)
	cmd.Stderr = stderr
	var stdout io.Reader
	if command.Stdout != nil {
		// Not cmd.Stdout: WaitDelay would cut off a reader that takes longer than that over
		// restic's last bytes.
		var err error
		if stdout, err = cmd.StdoutPipe(); err != nil {
			return fmt.Errorf("%s: %w", command.Op, err)
		}
	}

	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: start restic: %w", command.Op, cause(ctx, err))
	}
	out := &output{w: command.Stdout}
	defer p.watch(cmd.Process.Pid, command, func() bool {
		return out.handing.Load() || command.Idle != nil && command.Idle()
	}, cancel)()
	var copyErr error
	if stdout != nil {
		var copying sync.WaitGroup
		copying.Go(func() { copyErr = out.copy(ctx, stdout, cancel) }) // not on the thread that is held
		copying.Wait()
	}
	err := cmd.Wait()
	switch {
	case copyErr != nil:
		return fmt.Errorf("%s: %w", command.Op, copyErr)
	case cmd.ProcessState.Success(): // an interrupt that came too late is no failure
		stderr.ended(nil)
		return nil
	}
	err = &Error{Op: command.Op, Code: cmd.ProcessState.ExitCode(), Stderr: stderr.String(), Err: cause(ctx, err)}
	stderr.ended(err)
	return err
}

// prepare is a command that can be started, but for its output.
func (p *Program) prepare(ctx context.Context, command Command) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path(), p.withCache(command.Args)...)
	cmd.Env = append(append([]string{progressInterval}, p.Env...), command.Env...)
	cmd.SysProcAttr = childAttributes()
	cmd.ExtraFiles = command.Extra
	cmd.WaitDelay = p.grace()
	cmd.Cancel = func() error {
		if command.Finish {
			return nil
		}
		return interrupt(cmd.Process)
	}
	if command.Stdin != nil {
		cmd.Stdin = command.Stdin
	}
	return cmd
}

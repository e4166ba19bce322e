// Package process starts the restic program and sees to its end: its arguments and environment, its open files, what it
// says on standard error, when it is ended and how, and what its exit status means. It holds no lock of a repository and
// knows none of restic's commands; those are its callers'.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Program is the restic program, and how a run of it is watched. All fields are those of the same name of restic.Client.
type Program struct {
	Binary string
	Env    []string
	Stall  time.Duration
	Still  func(op string, since time.Duration)
	Said   func(line string)
	Grace  time.Duration

	refusedFor time.Duration // for tests: in place of refusedFor
}

const defaultGrace = 5 * time.Second

// Command is one run of restic.
type Command struct {
	Op     string     // what the caller asked for; begins every error
	Args   []string   // restic's arguments
	Env    []string   // added to Program.Env
	Stdin  *os.File   // nil: /dev/null
	Extra  []*os.File // further open files, from 3 on
	Stdout io.Writer  // nil: /dev/null

	// Long: it may be still for longer, as restic's own tries again may end well, and much is lost where they are cut off.
	Long bool

	// Idle reports whether restic has nothing to do but wait for us. nil: it never is, except for its stdout to be read.
	Idle func() bool

	// Finish lets a cancelled run go on until it ends by itself or Grace is over, instead of interrupting it at once.
	Finish bool
}

// Run starts restic and returns when it has ended and all it wrote has been read. A nil error is exit status 0. When
// ctx ends restic is interrupted, given Grace, and killed.
func (p *Program) Run(ctx context.Context, command Command) error {
	// Linux ties Pdeathsig to the thread that forked, not to the process: if that thread ended, restic would be
	// killed in the middle of its work. So the thread stays with this call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stderr := &stderr{said: p.said(cancel)}
	cmd := p.prepare(ctx, command)
	cmd.Stderr = stderr
	var stdout io.Reader
	if command.Stdout != nil {
		// Not cmd.Stdout: WaitDelay would cut off a reader that takes longer than that over restic's last bytes.
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

// Getenv is what the child will find in its environment: of several equal names the last one counts.
func (p *Program) Getenv(name string) string {
	value := ""
	for _, entry := range p.Env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}

// Path is what Binary says, or its default.
func (p *Program) Path() string {
	if p.Binary == "" {
		return "restic"
	}
	return p.Binary
}

func (p *Program) grace() time.Duration {
	if p.Grace == 0 {
		return defaultGrace
	}
	return p.Grace
}

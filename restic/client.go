// Package restic runs the restic program: it feeds a stream into a backup, commits it or takes it back, and reads what
// restic answers. It owns the process, its standard input, its exit codes and its JSON. What is in the stream, when to
// back up and which policy to keep are its callers'; where the repository is and how it is reached, restic's own
// environment variables say.
//
// The package's one promise is that of [Client.Backup]: a snapshot exists only if the reader ended in io.EOF. See there.
package restic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Client runs one restic program against one repository. The zero value of every field but Env is usable, a Client
// holds no state, and its methods may be called at once from several goroutines.
type Client struct {
	// Binary is restic's path, or its name on PATH. Default: "restic".
	Binary string

	// Env is the child's whole environment, as os.Environ returns it: RESTIC_REPOSITORY, RESTIC_PASSWORD and whatever
	// the backend needs. Secrets travel in it and nowhere else.
	Env []string

	// LockWait is how long to wait for a lock that may be a living restic's, once dead ones are removed. Zero: not at all.
	LockWait time.Duration

	// Waiting is told, once a command, who holds a lock that is in the way: it is about to be removed as dead or waited
	// for. nil: nobody is.
	Waiting func(*LockedError)

	// Stall ends a restic that for so long has neither read nor written anything to speak of, with a [*StallError]; a
	// backup or a dump only after four times that. What restic's caller keeps it waiting for does not count. 0: never. It
	// is seen on Linux alone.
	Stall time.Duration

	// Still is told of a restic that has not for 30 s, and then every minute. It is called from a goroutine of its own.
	// nil: nobody is.
	Still func(op string, since time.Duration)

	// Said is told what restic says on its standard error while it works: of a store that does not answer, of a cache that
	// cannot be written. Passwords of URLs are left out. It is called from a goroutine of its own. nil: nobody is.
	Said func(line string)

	// Grace is how long an interrupted restic may take to remove its lock before it is killed. Default: 5 s.
	Grace time.Duration

	refreshed  time.Duration // for tests: in place of missedRefresh
	refusedFor time.Duration // for tests: in place of refusedFor
}

const defaultGrace = 5 * time.Second

// command is one run of restic.
type command struct {
	op     string     // what the caller asked for; begins every error
	args   []string   // restic's arguments
	env    []string   // added to Client.Env
	stdin  *os.File   // nil: /dev/null
	extra  []*os.File // further open files, from 3 on
	stdout io.Writer  // nil: /dev/null
	reads  bool       // it changes nothing but locks, and shares the repository with all but those who hold it alone
	hasty  bool       // a lock that is in the way is neither waited for nor removed

	// long: it may be still for longer, as restic's own tries again may end well, and much is lost where they are cut off.
	long bool

	// idle reports whether restic has nothing to do but wait for us. nil: it never is, except for its stdout to be read.
	idle func() bool

	// finish lets a cancelled run go on until it ends by itself or Grace is over, instead of interrupting it at once.
	finish bool
}

// run starts restic and returns when it has ended and all it wrote has been read. A nil error is exit status 0. When
// ctx ends restic is interrupted, given Grace, and killed.
func (c *Client) run(ctx context.Context, command command) error {
	// Linux ties Pdeathsig to the thread that forked, not to the process: if that thread ended, restic would be
	// killed in the middle of its work. So the thread stays with this call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, c.binary(), c.withCache(command.args)...)
	cmd.Env = append(append([]string{progressInterval}, c.Env...), command.env...)
	cmd.SysProcAttr = childAttributes()
	cmd.ExtraFiles = command.extra
	cmd.WaitDelay = c.grace()
	cmd.Cancel = func() error {
		if command.finish {
			return nil
		}
		return interrupt(cmd.Process)
	}
	if command.stdin != nil {
		cmd.Stdin = command.stdin
	}
	stderr := &stderr{said: c.said(cancel)}
	cmd.Stderr = stderr

	var stdout io.ReadCloser
	if command.stdout != nil {
		// Not cmd.Stdout: WaitDelay would cut off a reader that takes longer than that over restic's last bytes.
		var err error
		if stdout, err = cmd.StdoutPipe(); err != nil {
			return fmt.Errorf("%s: %w", command.op, err)
		}
	}

	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: start restic: %w", command.op, cause(ctx, err))
	}
	var handing atomic.Bool // its output is being taken
	defer c.watch(cmd.Process.Pid, command, func() bool {
		return handing.Load() || command.idle != nil && command.idle()
	}, cancel)()
	var copyErr error
	var copying sync.WaitGroup
	if stdout != nil {
		copying.Go(func() { // not on the thread that is held
			_, copyErr = io.Copy(handingWriter{command.stdout, &handing}, stdout)
			if ctx.Err() != nil && errors.Is(copyErr, os.ErrClosed) {
				// os/exec closes the pipe when it kills a restic that has not reacted for WaitDelay: a
				// consequence, not a cause.
				copyErr = nil
			}
			if copyErr != nil {
				cancel(copyErr)
				// restic may be stuck writing to us: it notices the interrupt only when that ends.
				_, _ = io.Copy(io.Discard, stdout)
			}
		})
	}
	copying.Wait()
	err := cmd.Wait()
	switch {
	case copyErr != nil:
		return fmt.Errorf("%s: %w", command.op, copyErr)
	case cmd.ProcessState.Success(): // an interrupt that came too late is no failure
		stderr.ended(nil)
		return nil
	}
	err = &Error{Op: command.op, Code: cmd.ProcessState.ExitCode(), Stderr: stderr.String(), Err: cause(ctx, err)}
	stderr.ended(err)
	return err
}

// handingWriter notes while somebody takes restic's output.
type handingWriter struct {
	w       io.Writer
	handing *atomic.Bool
}

func (w handingWriter) Write(p []byte) (int, error) {
	w.handing.Store(true)
	defer w.handing.Store(false)
	return w.w.Write(p)
}

func (c *Client) binary() string {
	if c.Binary == "" {
		return "restic"
	}
	return c.Binary
}

func (c *Client) grace() time.Duration {
	if c.Grace == 0 {
		return defaultGrace
	}
	return c.Grace
}

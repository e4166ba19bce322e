package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// RunWithPostgres starts a PostgreSQL, runs args as a command that finds it by
// its PG* variables, and stops it. The command's TMPDIR is a folder that goes
// with the server. Signals that ask us to end are passed on to the command and
// whatever it has started, and we wait for it; if we are killed, it gets SIGTERM.
// The code is the command's exit code, 128+n when signal n ended it.
func RunWithPostgres(args []string) (code int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	pg, err := StartPostgres()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pg.Stop()) }()
	tmp := pg.scratch.path("tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return 0, fmt.Errorf("run %s: %w", args[0], err)
	}

	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), pg.Env("postgres")...), "TMPDIR="+tmp, "PATH="+pg.BinDir+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	process, err := startProcess(cmd, syscall.SIGTERM)
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", args[0], err)
	}
	for {
		select {
		case sig := <-signals:
			process.stopGroup(sig.(syscall.Signal), 10*time.Second)
		case <-process.done:
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
				return 128 + int(status.Signal()), nil
			}
			return cmd.ProcessState.ExitCode(), nil
		}
	}
}

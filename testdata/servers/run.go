package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// RunWithPostgres runs args as a command beside a private PostgreSQL, which it finds by its PG*
// variables and whose programs are first on its PATH.
func RunWithPostgres(args []string) (code int, err error) {
	return runBeside(args, func() (*beside, error) {
		pg, err := StartPostgres()
		if err != nil {
			return nil, err
		}
		return &beside{pg.Stop, pg.scratch, append(pg.Env("postgres"), "PATH="+pg.BinDir+":"+os.Getenv("PATH"))}, nil
	})
}

// RunWithMariaDB runs args as a command beside a private MariaDB, which it finds by its MYSQL_*
// variables and whose clients are first on its PATH.
func RunWithMariaDB(args []string) (code int, err error) {
	return runBeside(args, func() (*beside, error) {
		my, err := StartMariaDB()
		if err != nil {
			return nil, err
		}
		return &beside{my.Stop, my.scratch, append(my.Env(""), "PATH="+filepath.Dir(my.Client)+":"+os.Getenv("PATH"))}, nil
	})
}

// RunWithFerret runs args as a command beside a private FerretDB, which it finds by MONGO_URI.
func RunWithFerret(args []string) (code int, err error) {
	return runBeside(args, func() (*beside, error) {
		f, err := StartFerret()
		if err != nil {
			return nil, err
		}
		return &beside{f.Stop, f.scratch, f.Env("")}, nil
	})
}

// beside is a server as a command beside it sees it.
type beside struct {
	stop    func() error
	scratch *scratch
	env     []string
}

// runBeside starts a server, runs the command and stops the server. The command's TMPDIR is a
// folder that goes with the server. Signals that ask us to end are passed on to the command and
// whatever it has started, and we wait for it; if we are killed, it gets SIGTERM. The code is the
// command's exit code, 128+n when signal n ended it.
func runBeside(args []string, start func() (*beside, error)) (code int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	server, err := start()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	tmp := server.scratch.path("tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return 0, fmt.Errorf("run %s: %w", args[0], err)
	}

	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), server.env...), "TMPDIR="+tmp)
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

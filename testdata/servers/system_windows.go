package servers

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// No server is started on Windows: its tests that need one fail. What is here lets the others be
// built.

func (account) apply(*exec.Cmd) {}

func setOwnGroup(*syscall.SysProcAttr) {}

func signalGroup(int, syscall.Signal) error { return errors.ErrUnsupported }

func flock(*os.File, bool) error { return errors.ErrUnsupported }

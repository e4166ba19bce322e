package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A newcomer's machine has no restic: he is told where to get it, and it is found where make build
// puts it.
func TestResticBesideTheProgram(t *testing.T) {
	restic := servers.Restic(t)
	self, err := os.Executable()
	mustDo(t, err)
	dir := t.TempDir()
	program := filepath.Join(dir, "breaking-backups")
	mustDo(t, os.Link(self, program)) // under this name the test binary is the program
	run := func() (code int, said string) {
		cmd := exec.Command(program, "init")
		cmd.Env = append(repositoryVars(dir, ""), "PATH="+filepath.Join(dir, "empty"), "TMPDIR="+dir)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, said := run()
	if code != exit.Usage || !strings.Contains(said, "RESTIC_BINARY: there is no restic beside this program or on PATH") ||
		!strings.Contains(said, "https://github.com/restic/restic/releases") {
		t.Errorf("without restic: exit code %d\n%s", code, said)
	}
	mustDo(t, os.Symlink(restic, filepath.Join(dir, "restic")))
	if code, said := run(); code != exit.Done {
		t.Errorf("with restic beside the program: exit code %d\n%s", code, said)
	}
}

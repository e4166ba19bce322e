package servers

import (
	"os/exec"
	"strings"
	"testing"
)

func TestRestic(t *testing.T) {
	path := Restic(t)
	out, err := exec.Command(path, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "restic 0.19.1 ") {
		t.Errorf("%s version: %v\n%s", path, err, out)
	}
}

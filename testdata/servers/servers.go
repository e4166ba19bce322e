// Package servers gives tests the real things they are made against: a private PostgreSQL, of the
// machine's version or another, a MariaDB, a FerretDB, an S3 server, the pinned restic, MongoDB's
// tools.
//
// Everything listens on a free loopback port, lives in a temporary folder and ends with the process
// that asked for it, even when that process is killed: the kernel signals the server (Pdeathsig,
// Linux), and the folder it leaves is swept by whoever starts the next one. Two test processes
// never share anything but what was built in the repository's .cache folder.
//
// A program that is not installed fails the test with the line that installs it. Only `go test
// -short` skips.
//
// A running server costs one goroutine, so a package that uses goleak beside a server started in
// TestMain passes goleak.IgnoreCurrent.
package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const module = "github.com/breaking-backups/breaking-backups"

// findTop returns the repository's top folder, from wherever the process stands in it; a binary
// that runs elsewhere finds it by where its source was compiled.
func findTop() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	_, source, _, _ := runtime.Caller(0)
	for _, start := range []string{wd, filepath.Dir(source)} {
		for dir := start; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
			if isTop(dir) {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("find repository: no go.mod of %s in %s or above", module, wd)
}

func isTop(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first) == "module "+module
}

func skipShort(t testing.TB, what string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("-short: needs %s", what)
	}
}

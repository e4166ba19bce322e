// Package restictest is what the tests of restic's rooms, and of those who use a repository, have
// in common: an empty repository in no time, what a real restic leaves behind only after a long
// time, locks of any age, and what it never makes, a key that costs nothing to try.
package restictest

import (
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// scratch is a folder for what the tests of a package share: the template, and restic's cache.
var scratch string

// Main runs a package's tests and removes what they had in common. No goroutine may be left when
// they have ended.
func Main(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "restic-test-"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(scratch)
		os.Exit(code)
	}))
}

// Password opens what New makes.
const Password = "correct horse"

// Environment is a restic's whole environment, with the repository's address and its password. Main
// must run the tests.
func Environment(address string) []string {
	return []string{
		"RESTIC_REPOSITORY=" + address, "RESTIC_PASSWORD=" + Password, "RESTIC_CACHE_DIR=" + filepath.Join(scratch, "cache"),
		"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + os.TempDir(),
	}
}

// A Repository is one whose files lie in a folder, whatever its address.
type Repository struct {
	Restic string   // the program
	Env    []string // with the address and the password
	Folder string
}

// New makes an empty repository in a folder of its own. Main must run the tests.
func New(t testing.TB, restic string) Repository {
	t.Helper()
	template.Do(func() {
		dir := filepath.Join(scratch, "template")
		r := Repository{Restic: restic, Env: Environment(dir), Folder: dir}
		r.Run(t, "init")
		r.CheapKey(t, Password)
		template.made = true
	})
	if !template.made {
		t.Fatal("there is no template")
	}
	folder := filepath.Join(t.TempDir(), "repository")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(scratch, "template"))); err != nil {
		t.Fatal(err)
	}
	return Repository{Restic: restic, Env: Environment(folder), Folder: folder}
}

// template is an empty repository with a cheap key; making one costs restic seconds.
var template struct {
	sync.Once
	made bool
}

// Count is how many files of a type (snapshots, locks, keys) the repository has, past all that
// could hide something.
func (r Repository) Count(t testing.TB, what string) int {
	t.Helper()
	return len(strings.Fields(string(r.Run(t, "list", what, "--no-lock"))))
}

// Run has restic do something to the repository, and returns what it writes.
func (r Repository) Run(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(r.Restic, args...)
	cmd.Env = r.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("restic %s: %v", args, err)
	}
	return out
}

// Script makes a program that stands in for restic.
func Script(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "restic")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Noise is n bytes that do not compress, the same for the same seed.
func Noise(n int64, seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

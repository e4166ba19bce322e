//go:build unix

package stream

import (
	"errors"
	"syscall"
	"testing"
)

// The file system refuses in the middle of it.
func TestSpoolWriteFails(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err := Fill(t.Context(), SpoolOptions{Dir: dir}, produce(text(16<<20), nil))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("fill: %v", err)
	}
	wantEmpty(t, dir)
}

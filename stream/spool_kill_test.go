package stream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// childEnv names a folder for a test binary that is started to be killed.
const childEnv = "STREAM_TEST_CHILD"

// fillForever is that child.
func fillForever(dir string) int {
	_, err := Fill(context.Background(), SpoolOptions{Dir: dir}, func(_ context.Context, w io.Writer) error {
		for {
			if _, err := w.Write(text(64 << 10)); err != nil {
				return err
			}
			fmt.Println("written")
		}
	})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestCleanSpool(t *testing.T) {
	dir := t.TempDir()
	if removed, err := CleanSpool(filepath.Join(dir, "nowhere")); removed != 0 || err != nil {
		t.Errorf("no folder: %d, %v", removed, err)
	}
	foreign := filepath.Join(dir, "breaking-backups.log")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewScanner(stdout).Scan()
	if removed, err := CleanSpool(dir); removed != 0 || err != nil {
		t.Errorf("the other process lives: %d, %v", removed, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	mine := fill(t, dir, text(1000))
	if removed, err := CleanSpool(dir); removed != 1 || err != nil {
		t.Errorf("the other process is dead: %d, %v", removed, err)
	}
	if r, err := mine.Open(); err != nil {
		t.Error(err)
	} else {
		_ = r.Close()
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

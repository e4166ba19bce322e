//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// hung is a file that nobody is given any byte of.
type hung chan struct{}

func (h hung) ReadAt([]byte, int64) (int, error) { <-h; return 0, errors.New("gone on") }

// A file system that hangs keeps neither a signal nor the end of a restore: what it is asked is
// left behind. A pipe that nobody opens for writing hangs as it does.
func TestHungFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	mustDo(t, unix.Mkfifo(pipe, 0o600))
	signal, reads := exit.Interruption{Signal: syscall.SIGINT}, make(hung)
	opened := make(chan error, 1)
	for name, ask := range map[string]func(context.Context) error{
		"open": func(ctx context.Context) error {
			_, err := leavable(ctx, func() (*os.File, error) {
				f, err := os.Open(pipe)
				opened <- errors.Join(err, f.Close())
				return f, err
			})
			return err
		},
		"read": func(ctx context.Context) error {
			_, err := readLeavably(ctx, reads, make([]byte, 1), 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			answer := make(chan error, 1)
			go func() { answer <- ask(ctx) }()
			cancel(signal)
			select {
			case err := <-answer:
				if !errors.Is(err, signal) {
					t.Errorf("%v", err)
				}
			case <-time.After(time.Minute):
				t.Error("the signal waits for the file system")
			}
		})
	}
	close(reads)
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // which lets the open go on
	mustDo(t, err, <-opened, writer.Close())
}

// A signal that has come is not taken for a file that is not there.
func TestFileAfterASignal(t *testing.T) {
	signal := exit.Interruption{Signal: syscall.SIGINT}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signal)
	if _, err := fileSource(ctx, filepath.Join(t.TempDir(), "none.sql")); !errors.Is(err, signal) {
		t.Errorf("%v", err)
	}
}

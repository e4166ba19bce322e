package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// SpoolOptions say where a spool is kept.
type SpoolOptions struct {
	Dir     string // made with mode 0700 if need be
	Reserve int64  // bytes that are to stay free in Dir; 0: 64 MiB
	Level   int    // as zstd counts; 0: 1
}

const defaultReserve = 64 << 20

// Spool is a stream that has been put down whole in a compressed file of mode 0600, from where it
// can be read as often as need be. The file is locked as long as the Spool is there, and gone after
// Remove; if the process is killed, it is left, unlocked, for CleanSpool.
type Spool struct {
	file   *os.File // holds the lock
	size   int64
	stored int64
}

const spoolPattern = "breaking-backups-*.spool"

// Fill runs produce and keeps what it writes. If that fails, or space runs out, nothing stays
// behind. The error of produce is wrapped; too little space is a [*SpaceError], whatever produce
// makes of it.
func Fill(ctx context.Context, options SpoolOptions, produce func(context.Context, io.Writer) error) (_ *Spool, err error) {
	if options.Reserve == 0 {
		options.Reserve = defaultReserve
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	out := &spaceWriter{dir: options.Dir, reserve: options.Reserve}
	if err := out.check(0); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	file, err := createLocked(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{file: file}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Remove())
		}
	}()
	out.file = file

	s.size, err = Compress(ctx, out, CompressOptions{Level: cmp.Or(options.Level, 1)}, produce)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", out.cause(err))
	}
	s.stored = out.n
	return s, nil
}

// Size is the length of the stream in bytes, Stored that of the file.
func (s *Spool) Size() int64   { return s.size }
func (s *Spool) Stored() int64 { return s.stored }

// Remove deletes the file. It may be called again.
func (s *Spool) Remove() error {
	if s.file == nil {
		return nil
	}
	err := os.Remove(s.file.Name())
	_ = s.file.Close() // after the removal: an unlocked file is anyone's to clean
	s.file = nil
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// CleanSpool removes the spools in dir whose process has ended without doing so, and returns how
// many. Those of the living stay. A dir that is not there has none.
func CleanSpool(dir string) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("spool: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if ours, _ := filepath.Match(spoolPattern, entry.Name()); !ours || !entry.Type().IsRegular() {
			continue
		}
		switch err := removeDead(filepath.Join(dir, entry.Name())); {
		case err == nil:
			removed++
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, os.ErrNotExist):
			errs = append(errs, fmt.Errorf("spool: %w", err))
		}
	}
	return removed, errors.Join(errs...)
}

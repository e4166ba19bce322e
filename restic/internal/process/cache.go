package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// withCache are a command's arguments, with one more by which restic keeps no cache where it could
// not: it ends at once over a folder that it cannot make. A cache only saves time.
func (p *Program) withCache(args []string) []string {
	if args[0] == "version" {
		return args
	}
	err := p.tryCache()
	if err == nil {
		return args
	}
	if p.Said != nil {
		p.Said(fmt.Sprintf("it works without a cache, which may take longer: %v", err))
	}
	return slices.Insert(slices.Clone(args), 1, "--no-cache")
}

// tryCache tells why restic cannot keep its cache. It makes nothing.
func (p *Program) tryCache() error {
	dir := p.Getenv("RESTIC_CACHE_DIR")
	if dir == "" {
		if dir = p.Getenv("XDG_CACHE_HOME"); dir == "" {
			home := p.Getenv("HOME")
			if home == "" {
				return errors.New("neither RESTIC_CACHE_DIR nor XDG_CACHE_HOME nor HOME is set")
			}
			dir = filepath.Join(home, ".cache")
			if runtime.GOOS == "darwin" {
				dir = filepath.Join(home, "Library", "Caches")
			}
		}
		dir = filepath.Join(dir, "restic")
	}
	for { // up to what is there
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = &os.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
		}
		if err == nil {
			break
		}
		if parent := filepath.Dir(dir); errors.Is(err, os.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		return fmt.Errorf("restic's cache: %w", err)
	}
	return tryFolder(dir)
}

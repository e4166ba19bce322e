// Package output is where output goes that a path names. A regular file is replaced by a whole one;
// whatever else is there, a device, a pipe or one of the program's own descriptors, is written
// into, as it cannot be replaced without taking it away from everybody else. Links are followed in
// both cases. What is written is whoever's who asks.
package output

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// errReaderGone is the end of output into a pipe that nobody reads any more.
var errReaderGone = errors.New("who read the dump has gone")

// ReplaceError is why a file that is there cannot be replaced by a whole one, although it may be
// written into.
type ReplaceError struct {
	path, why string
	err       error
}

func (e *ReplaceError) Error() string {
	return fmt.Sprintf("replace %s by the whole dump: %s: %v", e.path, e.why, e.err)
}

func (e *ReplaceError) Unwrap() error { return e.err }

// outputWriter says in words that a pipe has lost its reader, so that it is not taken for a
// connection's end.
type outputWriter struct{ io.Writer }

// NewWriter is w, of which a lost reader is told in words.
func NewWriter(w io.Writer) io.Writer { return outputWriter{w} }

func (w outputWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		err = fmt.Errorf("%w: %w", err, errReaderGone)
	}
	return n, err
}

// Write has write fill what path names.
func Write(ctx context.Context, path string, write func(io.Writer) error) error {
	at, err := findPlace(path)
	if err != nil {
		return err
	}
	if at.whole() {
		return at.replace(write)
	}
	file, err := at.openWhenRead(ctx)
	if err != nil {
		return err
	}
	defer file.Close()
	if terminal.Is(file) {
		return exit.UsageError{Err: fmt.Errorf("write %s: it is a terminal, not a file", path)}
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetWriteDeadline(time.Now()) }) // a pipe whose reader stands still
	defer stop()
	if err := write(outputWriter{file}); err != nil {
		return err
	}
	if err := file.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) { // a pipe has no disk
		return err
	}
	return file.Close()
}

// place is what a path leads to.
type place struct {
	path       string      // as it was given
	name       string      // behind all links
	info       fs.FileInfo // nil: nothing is there yet
	descriptor bool        // name is that of a process's open file
}

// findPlace follows path. What is there may be of any kind but a folder; what is not may be made.
func findPlace(path string) (place, error) {
	info, err := os.Stat(path) // the kernel's own way there, with its refusals
	switch {
	case err == nil && info.IsDir(), err != nil && strings.HasSuffix(path, string(filepath.Separator)):
		return place{}, exit.UsageError{Err: fmt.Errorf("write %s: it is a folder, not a file", path)}
	case errors.Is(err, fs.ErrNotExist):
		info = nil
	case err != nil:
		return place{}, err
	}
	name := path
	for range 40 { // as many as Linux follows
		folder, base := filepath.Split(name) // nothing else of filepath: where links are, a/../b is not b
		folder, err := filepath.EvalSymlinks(cmp.Or(folder, "."))
		if err != nil {
			return place{}, &fs.PathError{Op: "open", Path: path, Err: withoutPath(err)}
		}
		name = filepath.Join(folder, base)
		if descriptorName.MatchString(name) {
			return place{path: path, name: name, info: info, descriptor: true}, nil
		}
		target, err := os.Readlink(name)
		if err != nil { // no link
			return place{path: path, name: name, info: info}, nil
		}
		if name = target; !filepath.IsAbs(target) {
			name = folder + string(filepath.Separator) + target
		}
	}
	return place{}, &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
}

// descriptorName is what /dev/stdout, /dev/fd/3 and their like lead to: on Linux a link that need
// not lead to a name.
var descriptorName = regexp.MustCompile(`^(?:/proc/(\d+)(?:/task/\d+)?|/dev)/fd/(\d+)$`)

// whole reports whether a file is made there that is renamed into its place.
func (p place) whole() bool { return !p.descriptor && (p.info == nil || p.info.Mode().IsRegular()) }

// open opens what is not replaced, for writing at its end. A named pipe that nobody reads is ENXIO.
func (p place) open() (*os.File, error) {
	if found := descriptorName.FindStringSubmatch(p.name); found != nil && (found[1] == "" || found[1] == strconv.Itoa(os.Getpid())) {
		return p.openDescriptor(found[2])
	}
	return os.OpenFile(p.name, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
}

// openWhenRead is open, but waits for a named pipe to be read, until ctx ends.
func (p place) openWhenRead(ctx context.Context) (*os.File, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		file, err := p.open()
		if !errors.Is(err, syscall.ENXIO) || p.info.Mode().Type() != fs.ModeNamedPipe {
			return file, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// replace has write fill a file that takes its name only when everything is in it and on the disk.
// One that has the name before keeps it until then, and its mode and owner are the new one's;
// further names of it stay with the old. One that cannot be replaced so is refused before write is
// asked.
func (p place) replace(write func(io.Writer) error) (err error) {
	if err := p.replaceable(); err != nil {
		return err
	}
	// Its name is not made of the place's: that one may be as long as a name can be.
	file, err := os.CreateTemp(filepath.Dir(p.name), ".breaking-backups-*.part") // mode 0600
	if err != nil {
		return p.notMade(err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := p.keepOwner(file); err != nil {
		return err
	}
	if err := write(file); err != nil {
		return err
	}
	if p.info != nil {
		if err := file.Chmod(p.info.Mode()); err != nil {
			return err
		}
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), p.name)
}

// replaceable is why what is there may not be replaced: rename asks nobody who may write to a file.
func (p place) replaceable() error {
	if p.info == nil {
		return nil
	}
	file, err := os.OpenFile(p.name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	file.Close()
	if isMountPoint(p.name) {
		return p.notReplaceable("it is mounted by itself", syscall.EBUSY)
	}
	return nil
}

// notMade is err, of the making of a file beside the place, in words that name the place.
func (p place) notMade(err error) error {
	if p.info == nil {
		return fmt.Errorf("create %s: %w", p.path, withoutPath(err))
	}
	return p.notReplaceable("its folder takes no new file", withoutPath(err))
}

func (p place) notReplaceable(why string, err error) error {
	return &ReplaceError{path: p.path, why: why, err: err}
}

// withoutPath is why an operation on a path failed.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

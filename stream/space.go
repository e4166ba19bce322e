package stream

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// SpaceError is too little space for a spool. Sizes are in bytes.
type SpaceError struct {
	Dir    string
	Needed int64 // what would have to be free, now
	Free   int64 // what is free for an unprivileged user
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("not enough space in %s: %s needed, %s free", e.Dir, mib(e.Needed), mib(e.Free))
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// spaceWriter writes on as long as the reserve stays free, and remembers if that was not so.
type spaceWriter struct {
	dir     string
	reserve int64
	file    io.Writer
	n       int64
	checked int64 // n when space was last looked at
	failed  error
}

// checkEvery is how many bytes are written between two looks at the free space.
const checkEvery = 4 << 20

func (w *spaceWriter) Write(p []byte) (int, error) {
	if w.n-w.checked >= checkEvery {
		w.checked = w.n
		if err := w.check(int64(len(p))); err != nil {
			return 0, err
		}
	}
	n, err := w.file.Write(p)
	w.n += int64(n)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		free, _ := freeSpace(w.dir)
		w.failed = &SpaceError{Dir: w.dir, Needed: int64(len(p)), Free: free}
		return n, w.failed
	}
	return n, err
}

// check makes sure that need bytes can be written with the reserve left over.
func (w *spaceWriter) check(need int64) error {
	free, err := freeSpace(w.dir)
	if err != nil {
		return err
	}
	if free < need+w.reserve {
		w.failed = &SpaceError{Dir: w.dir, Needed: need + w.reserve, Free: free}
	}
	return w.failed
}

// cause is the lack of space, if that is why err has come about.
func (w *spaceWriter) cause(err error) error {
	if w.failed != nil {
		return w.failed
	}
	return err
}

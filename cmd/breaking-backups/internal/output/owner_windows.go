package output

import (
	"io/fs"
	"os"
)

// openDescriptor: no path leads to an open file here.
func (p place) openDescriptor(string) (*os.File, error) {
	return nil, &fs.PathError{Op: "open", Path: p.path, Err: fs.ErrNotExist}
}

// keepOwner: a new file has the rights of its folder.
func (place) keepOwner(*os.File) error { return nil }

// isMountPoint: files alone are mounted on Linux only.
func isMountPoint(string) bool { return false }

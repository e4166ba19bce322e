package stream

import (
	"errors"
	"os"
	"syscall"
)

// createLocked makes a new file in dir and locks it. Between the two a CleanSpool elsewhere can
// take it for dead and remove it; then another is made.
func createLocked(dir string) (*os.File, error) {
	for {
		file, err := os.CreateTemp(dir, spoolPattern) // mode 0600
		if err != nil {
			return nil, err
		}
		err = tryLock(file)
		if err == nil {
			var there bool
			if there, err = isAt(file, file.Name()); there {
				return file, nil
			}
		}
		_ = file.Close()
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = os.Remove(file.Name())
			return nil, err
		}
	}
}

// removeDead removes a file unless someone holds its lock; then the error is EWOULDBLOCK.
func removeDead(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := tryLock(file); err != nil {
		return err
	}
	return os.Remove(path)
}

// isAt reports whether the open file is still the one at path.
func isAt(file *os.File, path string) (bool, error) {
	open, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && os.SameFile(open, named), err
}

package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// readSecret is what a file holds, without the line's end that an editor adds to it. Its errors
// name the file only if it is there: somebody may have written the secret itself where its file
// belongs. What can be read once, a pipe, is kept.
func (l *Loader) readSecret(file string, decode func([]byte) string) (string, error) {
	if value, ok := l.pipes[file]; ok {
		return value, nil
	}
	text, err := os.ReadFile(file)
	value := strings.TrimRight(decode(text), "\r\n")
	var why *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EISDIR):
		return "", err
	case errors.As(err, &why):
		return "", fmt.Errorf("want the path of a file: %w", why.Err)
	case err != nil:
		return "", err
	case value == "":
		return "", fmt.Errorf("%s: it is empty", file)
	case strings.Contains(value, "\x00"):
		return "", fmt.Errorf("%s: it holds a zero byte", file)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		l.pipes[file] = value
	}
	return value, nil
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/breaking-backups/breaking-backups/restic"
)

// trimmedByRestic are the secrets whose files restic reads itself, and takes all blanks off their
// ends.
var trimmedByRestic = []string{"RESTIC_REPOSITORY", "RESTIC_PASSWORD"}

// readSecret is what a file holds, without what an editor adds to it: the line's end, and the mark
// of an encoding at its beginning. Its errors name the file only if it is there: somebody may have
// written the secret itself where its file belongs.
func (l *configLoader) readSecret(file string) (string, error) {
	if value, ok := l.pipes[file]; ok {
		return value, nil
	}
	text, err := os.ReadFile(file)
	value := strings.TrimRight(restic.Text(text), "\r\n")
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

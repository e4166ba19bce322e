package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf16"
)

// trimmedByRestic are the secrets whose files restic reads itself, and takes all blanks off their ends.
var trimmedByRestic = []string{"RESTIC_REPOSITORY", "RESTIC_PASSWORD"}

// readSecret is what a file holds, without what an editor adds to it: the line's end, and the mark of an encoding at its
// beginning. Its errors name the file only if it is there: somebody may have written the secret itself where its file
// belongs.
func (l *loader) readSecret(file string) (string, error) {
	if value, ok := l.pipes[file]; ok {
		return value, nil
	}
	text, err := os.ReadFile(file)
	value := strings.TrimRight(withoutMark(text), "\r\n")
	var why *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EISDIR):
		return "", err
	case errors.As(err, &why):
		return "", fmt.Errorf("want the path of a file: %w", why.Err)
	case err != nil:
		return "", err
	case value == "":
		return "", fmt.Errorf("%s is empty", file)
	case strings.Contains(value, "\x00"):
		return "", fmt.Errorf("%s holds a zero byte", file)
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		l.pipes[file] = value
	}
	return value, nil
}

// withoutMark is a file's text in UTF-8, without the byte order mark that may say at its beginning what it is written in, as
// restic reads its own files: Notepad puts one before UTF-8, PowerShell's > before UTF-16.
func withoutMark(text []byte) string {
	var order binary.ByteOrder
	switch head := string(text[:min(len(text), 2)]); head {
	case "\xff\xfe":
		order = binary.LittleEndian
	case "\xfe\xff":
		order = binary.BigEndian
	default:
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	if len(text)%2 != 0 { // a secret that begins so by chance
		return string(text)
	}
	var units []uint16
	for i := 2; i < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	return string(utf16.Decode(units))
}

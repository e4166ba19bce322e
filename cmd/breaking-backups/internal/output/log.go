package output

import (
	"io"
	"os"

	"gopkg.in/natefinch/lumberjack.v2"
)

// OpenLog opens a log file that is renamed once it is large, and made anew. What is no regular file
// is written into: a device would be renamed too.
func OpenLog(path string) (io.WriteCloser, error) {
	at, err := findPlace(path)
	if err != nil {
		return nil, err
	}
	if !at.whole() {
		file, err := at.open()
		if err != nil { // not file: a nil pointer is no nil interface
			return nil, err
		}
		return file, nil
	}
	// lumberjack would make folders, and tell of errors at the first line only. A link that it
	// renamed would be lost.
	file, err := os.OpenFile(at.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &lumberjack.Logger{Filename: at.name, MaxSize: 10, MaxBackups: 3}, file.Close()
}

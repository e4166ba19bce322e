package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
)

// streamError says what is wrong with an archive, and which of dump's errors that is. The texts of
// those are about SQL.
type streamError struct {
	err, kind error
}

func (e *streamError) Error() string   { return e.err.Error() }
func (e *streamError) Unwrap() []error { return []error{e.err, e.kind} }

func damaged(format string, args ...any) error {
	return &streamError{fmt.Errorf("the archive is damaged: "+format, args...), dump.ErrDamaged}
}

var (
	// errEnd is the end of the stream between two items.
	errEnd = errors.New("the archive is truncated: its end is missing")
	errCut = errors.New("the archive is truncated: it ends within a document")
)

// cut makes of the end of the stream what it is in an archive. A decompressor says
// io.ErrUnexpectedEOF of its own input's end.
func cut(err error) error {
	switch {
	case err == io.EOF:
		return &streamError{errEnd, dump.ErrTruncated}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &streamError{errCut, dump.ErrTruncated}
	}
	return err
}

// notAnArchive says what a stream is instead, where that is known.
func notAnArchive(r *bufio.Reader) error {
	text := "not an archive of breaking-backups or mongodump"
	head, _ := r.Peek(dump.SniffSize)
	if what, _ := dump.Sniff(head); what != "" {
		text += ": " + what
	}
	return &streamError{errors.New(text), dump.ErrNotADump}
}

package stream

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Open returns a reader of the whole stream from its beginning. It ends in io.EOF only after every
// byte that was written; a file that is damaged or cut short is an error. The caller closes it.
// Several may be open at once.
func (s *Spool) Open() (io.ReadCloser, error) {
	file, err := os.Open(s.file.Name())
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	r, err := newSpoolReader(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("spool: %s: %w", file.Name(), err)
	}
	return r, nil
}

type spoolReader struct {
	file *os.File
	*decompressor
}

func newSpoolReader(file *os.File) (*spoolReader, error) {
	d, err := newDecompressor(file)
	if err != nil {
		return nil, err
	}
	if !d.marked {
		_ = d.Close()
		return nil, errors.New("not a spool")
	}
	return &spoolReader{file, d}, nil
}

func (r *spoolReader) Read(p []byte) (int, error) {
	n, err := r.decompressor.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("spool: %s: %w", r.file.Name(), err)
	}
	return n, err
}

func (r *spoolReader) Close() error {
	_ = r.decompressor.Close()
	return r.file.Close()
}

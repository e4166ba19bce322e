package restic

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// input is the standard input of a `restic backup --stdin` that cannot end by accident.
//
// It is a socket pair. restic has one end as its standard input, and also a duplicate of the other
// end, ours, that it knows nothing of. So whatever happens to us, one copy of our end stays open as
// long as restic lives, and restic never sees an end of file. Only shutdown(2) makes one, and only
// commit calls it. (With a pipe, or with os/exec's copying from cmd.Stdin, a kill or a failed read
// leaves a snapshot of what had come so far.)
//
// restic looks at its interrupt only between reads. So an aborted input goes on with zeros: restic
// gets to see the interrupt, and not even a badly timed one can meet an end of file.
//
// We keep restic's end open too. A restic that finds the repository locked ends before it reads;
// the next one is given the same input and finds all that was already sent.
type input struct {
	restics *os.File      // restic's end
	held    *os.File      // the copy of our end that restic keeps open
	conn    *net.UnixConn // our end

	mu    sync.Mutex
	state inputState
	sent  uint64

	padding sync.WaitGroup

	starved atomic.Bool // restic has all that there is of the stream so far
}

type inputState int

const (
	inputOpen inputState = iota
	inputCommitted
	inputAborted
	inputClosed // restic has ended
)

// feedSize is the size of a read of the stream and of a write to restic: as much as a socket is
// asked to hold. With little at a time the two processes spend their time on waking each other up.
const feedSize = 512 << 10

func newInput() (*input, error) {
	restics, held, err := socketPair(feedSize)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	in := &input{restics: restics, held: held}
	conn, err := net.FileConn(in.held)
	if err != nil {
		_ = in.restics.Close()
		_ = in.held.Close()
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	in.conn = conn.(*net.UnixConn)
	return in, nil
}

// feed sends all of r and commits. It returns the error of r, or of the commit; a restic that has
// stopped reading is no error of its own, since restic's exit status says more.
func (in *input) feed(r io.Reader) error {
	buf := make([]byte, feedSize)
	for {
		in.starved.Store(true)
		n, err := r.Read(buf)
		in.starved.Store(false)
		if n > 0 && !in.send(buf[:n]) {
			return nil
		}
		switch {
		case err == io.EOF:
			return in.commit()
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		}
	}
}

func (in *input) send(p []byte) bool {
	n, err := in.conn.Write(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.sent += uint64(n)
	return err == nil && in.state == inputOpen
}

// commit ends restic's input: what has been sent is the whole. It does nothing after abort.
func (in *input) commit() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state != inputOpen {
		return nil
	}
	if err := in.conn.CloseWrite(); err != nil {
		return fmt.Errorf("end the stream: %w", err)
	}
	in.state = inputCommitted
	return nil
}

// abort makes a commit impossible and lets restic, which must be interrupted as well, come to
// notice that. After a commit it does nothing.
func (in *input) abort() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state != inputOpen {
		return
	}
	in.state = inputAborted
	in.padding.Go(func() {
		zeros := make([]byte, feedSize)
		for {
			if _, err := in.conn.Write(zeros); err != nil {
				return
			}
		}
	})
}

// close is for when restic has ended; it ends a feed and an abort that are still writing. It may be
// called again.
func (in *input) close() {
	in.mu.Lock()
	if in.state == inputOpen {
		in.state = inputClosed
	}
	in.mu.Unlock()
	_ = in.conn.Close()
	_ = in.restics.Close()
	_ = in.held.Close()
	in.padding.Wait()
}

func (in *input) committed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.state == inputCommitted
}

// written is how many bytes of the reader have been sent.
func (in *input) written() uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.sent
}

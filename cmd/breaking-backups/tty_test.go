//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// tty is a terminal with a person before it.
type tty struct {
	*os.File // the program's end
	person   *os.File
	screen   *lines // all that was ever shown
}

// newTTY makes a terminal of so many columns.
func newTTY(t *testing.T, columns int) *tty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	mustDo(t, err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}))
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &tty{File: slave, person: master, screen: &lines{}}
	shown := make(chan error, 1)
	go func() {
		_, err := io.Copy(term.screen, master)
		shown <- err
	}()
	t.Cleanup(func() {
		slave.Close()
		if err := <-shown; err != nil && !errors.Is(err, unix.EIO) { // which is the end of a terminal
			t.Error(err)
		}
		master.Close()
	})
	return term
}

// types has the person type something.
func (term *tty) types(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(term.person, text); err != nil {
		t.Fatal(err)
	}
}

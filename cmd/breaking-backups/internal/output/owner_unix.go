//go:build unix

package output

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// openDescriptor is a descriptor of this program's again, which goes on where that one is: it has
// been opened by whoever started the program. The program's own are nobody's to write into.
func (p place) openDescriptor(number string) (*os.File, error) {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
		return nil, &fs.PathError{Op: "open", Path: p.path, Err: fs.ErrNotExist}
	}
	again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: p.path, Err: err}
	}
	return os.NewFile(uintptr(again), p.path), nil
}

// keepOwner gives file the owner and group of what it is to replace.
func (p place) keepOwner(file *os.File) error {
	if p.info == nil {
		return nil
	}
	made, err := file.Stat()
	if err != nil {
		return err
	}
	old, isOld := p.info.Sys().(*syscall.Stat_t)
	now, isNew := made.Sys().(*syscall.Stat_t)
	if !isOld || !isNew || old.Uid == now.Uid && old.Gid == now.Gid {
		return nil
	}
	if err := unix.Fchown(int(file.Fd()), int(old.Uid), int(old.Gid)); err != nil {
		return p.notReplaceable(fmt.Sprintf("its owner %d:%d would not be the new one's", old.Uid, old.Gid), err)
	}
	return nil
}

//go:build linux

package output

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

const wholeDump = "a whole dump\n"

func mustDo(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func writeDump(w io.Writer) error {
	_, err := io.WriteString(w, wholeDump)
	return err
}

// folderState is what is in a folder: name, mode and, of regular files, text.
func folderState(t *testing.T, dir string) (state []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		line := entry.Name() + " " + info.Mode().String()
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			line += " " + strings.TrimSpace(string(text))
		}
		state = append(state, line)
	}
	return state
}

// What stands where the output goes, and what stands there afterwards.
func TestOutputKeepsWhatIsNoFile(t *testing.T) {
	old := func(t *testing.T, path string, mode fs.FileMode) {
		t.Helper()
		mustDo(t, os.WriteFile(path, []byte("old\n"), 0o600), os.Chmod(path, mode))
	}
	long := strings.Repeat("n", 255)
	tests := []struct {
		name, path string
		make       func(t *testing.T)
		want       []string
		err        string
	}{
		{"nothing", "new", func(*testing.T) {}, []string{"new -rw------- a whole dump"}, ""},
		{"a name as long as can be", long, func(*testing.T) {}, []string{long + " -rw------- a whole dump"}, ""},
		{"a file: its mode stays", "file", func(t *testing.T) { old(t, "file", 0o664) }, []string{"file -rw-rw-r-- a whole dump"}, ""},
		{"a file with another name: that keeps the old dump", "file", func(t *testing.T) {
			old(t, "file", 0o640)
			mustDo(t, os.Link("file", "twin"))
		}, []string{"file -rw-r----- a whole dump", "twin -rw-r----- old"}, ""},
		{"a link to a file in another folder", "link", func(t *testing.T) {
			mustDo(t, os.Mkdir("a", 0o755), os.Mkdir("a/b", 0o755), os.Symlink("a/b", "c"), os.Symlink("c/../file", "link"))
			old(t, "a/file", 0o644)
		}, []string{"a drwxr-xr-x", "c Lrwxrwxrwx", "link Lrwxrwxrwx", "a: b drwxr-xr-x", "a: file -rw-r--r-- a whole dump"}, ""},
		{
			"a link to nothing yet", "link", func(t *testing.T) { mustDo(t, os.Mkdir("a", 0o755), os.Symlink("a/new", "link")) },
			[]string{"a drwxr-xr-x", "link Lrwxrwxrwx", "a: new -rw------- a whole dump"},
			"",
		},
		{"a link to nowhere", "link", func(t *testing.T) { mustDo(t, os.Symlink("nowhere/new", "link")) }, []string{"link Lrwxrwxrwx"}, "no such file or directory"},
		{
			"links in a circle", "one", func(t *testing.T) { mustDo(t, os.Symlink("two", "one"), os.Symlink("one", "two")) },
			[]string{"one Lrwxrwxrwx", "two Lrwxrwxrwx"},
			"too many levels of symbolic links",
		},
		{"a folder", "folder", func(t *testing.T) { mustDo(t, os.Mkdir("folder", 0o755)) }, []string{"folder drwxr-xr-x"}, "it is a folder, not a file"},
		{"a folder that is not there", "folder/", func(*testing.T) {}, nil, "it is a folder, not a file"},
		{"a socket", "socket", func(t *testing.T) {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			mustDo(t, err, unix.Bind(fd, &unix.SockaddrUnix{Name: "socket"}), unix.Close(fd), os.Chmod("socket", 0o755))
		}, []string{"socket Srwxr-xr-x"}, "no such device or address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			tt.make(t)
			err := Write(t.Context(), tt.path, writeDump)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			got := folderState(t, ".")
			if _, err := os.Stat("a"); err == nil {
				for _, line := range folderState(t, "a") {
					got = append(got, "a: "+line)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("folder (-want +got):\n%s", diff)
			}
		})
	}
}

// A pipe, or a link to one, stays one, and gets the dump; a reader that comes late is waited for,
// one that goes is told.
func TestOutputIntoPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	mustDo(t, syscall.Mkfifo("pipe", 0o600), os.Symlink("pipe", "link"))
	for _, path := range []string{"pipe", "link"} {
		done := make(chan error, 1)
		go func() { done <- Write(t.Context(), path, writeDump) }()
		text, err := os.ReadFile("pipe")
		mustDo(t, err, <-done)
		if string(text) != wholeDump {
			t.Errorf("%s: %q", path, text)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exit.Interruption{Signal: syscall.SIGTERM})
	if err := Write(ctx, "pipe", writeDump); !errors.Is(err, exit.Interruption{Signal: syscall.SIGTERM}) {
		t.Errorf("waiting for a reader: %v", err)
	}

	reader, err := os.OpenFile("pipe", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	mustDo(t, err)
	err = Write(t.Context(), "pipe", func(w io.Writer) error {
		mustDo(t, reader.Close())
		return writeDump(w)
	})
	if !errors.Is(err, errReaderGone) {
		t.Errorf("a reader that went: %v", err)
	}
	reader, err = os.OpenFile("pipe", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	mustDo(t, err)
	defer reader.Close()
	ctx, cancel = context.WithCancelCause(t.Context())
	err = Write(ctx, "pipe", func(w io.Writer) error {
		time.AfterFunc(20*time.Millisecond, func() { cancel(exit.Interruption{Signal: syscall.SIGTERM}) })
		for {
			if err := writeDump(w); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a reader that stands still: %v", err)
	}
	if diff := cmp.Diff([]string{"link Lrwxrwxrwx", "pipe prw-------"}, folderState(t, ".")); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

// A device, made in a folder of the test's own, stays one.
func TestOutputIntoDevice(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mknod("null", syscall.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
		t.Skip("only root makes devices: ", err)
	}
	mustDo(t, syscall.Mknod("full", syscall.S_IFCHR|0o600, int(unix.Mkdev(1, 7))), os.Symlink("null", "link"))
	for _, path := range []string{"null", "link"} {
		mustDo(t, Write(t.Context(), path, writeDump))
	}
	if err := Write(t.Context(), "full", writeDump); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full device: %v", err)
	}
	// A log goes into one as well, also beyond the size at which a log file is renamed.
	for _, path := range []string{"null", "link"} {
		log, err := OpenLog(path)
		mustDo(t, err)
		line := make([]byte, 1<<20)
		for range 12 {
			_, err := log.Write(line)
			mustDo(t, err)
		}
		mustDo(t, log.Close())
	}
	if diff := cmp.Diff([]string{"full Dcrw-------", "link Lrwxrwxrwx", "null Dcrw-------"}, folderState(t, ".")); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

// A log file behind a link is renamed where it is, and the link stays.
func TestLogFileBehindLink(t *testing.T) {
	t.Chdir(t.TempDir())
	mustDo(t, os.Mkdir("a", 0o755), os.Symlink("a/log", "link"))
	log, err := OpenLog("link")
	mustDo(t, err)
	for range 11 {
		_, err := log.Write(make([]byte, 1<<20))
		mustDo(t, err)
	}
	mustDo(t, log.Close())
	entries, err := os.ReadDir("a")
	mustDo(t, err)
	if info, err := os.Lstat("link"); err != nil || info.Mode().Type() != fs.ModeSymlink || len(entries) != 2 {
		t.Errorf("%v, %v, %d files", info, err, len(entries))
	}
}

// A dump that fails leaves everything as it was.
func TestOutputOfAFailure(t *testing.T) {
	t.Chdir(t.TempDir())
	mustDo(t, os.WriteFile("file", []byte("old\n"), 0o644), os.Chmod("file", 0o644), os.Symlink("file", "link"))
	for _, path := range []string{"file", "link", "new"} {
		err := Write(t.Context(), path, func(w io.Writer) error { return errors.Join(writeDump(w), syscall.ENOSPC) })
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if diff := cmp.Diff([]string{"file -rw-r--r-- old", "link Lrwxrwxrwx"}, folderState(t, ".")); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

// The owner of a file that is replaced stays.
func TestOutputKeepsTheOwner(t *testing.T) {
	t.Chdir(t.TempDir())
	mustDo(t, os.WriteFile("file", nil, 0o600))
	if err := os.Chown("file", 12345, 23456); err != nil {
		t.Skip("only root gives files away: ", err)
	}
	mustDo(t, os.Chmod("file", 0o664), Write(t.Context(), "file", writeDump))
	info, err := os.Stat("file")
	mustDo(t, err)
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 12345 || stat.Gid != 23456 || info.Mode() != 0o664 {
		t.Errorf("%d:%d %s", stat.Uid, stat.Gid, info.Mode())
	}
}

// What cannot be replaced as it ought to be is refused before anything is written.
// TestOutputUnprivileged is run again without root's privileges, and in a namespace of mounts of
// its own.
func TestOutputUnprivileged(t *testing.T) {
	if dir := os.Getenv("OUTPUT_TEST_FOLDER"); dir != "" {
		t.Chdir(dir)
		for _, path := range strings.Fields(os.Getenv("OUTPUT_TEST_PATHS")) {
			err := Write(t.Context(), path, func(io.Writer) error { return errors.New("it was written to") })
			fmt.Printf("%s: %v\n", path, err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes the files of others that this needs")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	file := func(path string, mode fs.FileMode, uid, gid int) {
		t.Helper()
		mustDo(t, os.WriteFile(path, []byte("old\n"), 0o600), os.Chown(path, uid, gid), os.Chmod(path, mode))
	}
	mustDo(t, os.Mkdir("closed", 0o755), os.Mkdir("group", 0o755), os.Chown("group", 0, 23456), os.Chmod("group", 0o777|fs.ModeSetgid))
	file("readonly", 0o400, 0, 0)
	file("others", 0o666, 12345, 0)
	file("group/file", 0o600, 0, 23456)
	file("closed/file", 0o666, 0, 0)
	mustDo(t, os.Chmod("closed", 0o555))
	self, err := os.Executable()
	mustDo(t, err)
	again := func(wrapper []string, paths string) string {
		t.Helper()
		argv := append(wrapper, self, "-test.run=^TestOutputUnprivileged$", "-test.count=1")
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "OUTPUT_TEST_FOLDER="+dir, "OUTPUT_TEST_PATHS="+paths)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	before := folderState(t, ".")
	said := again([]string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}, "readonly others group/file closed/file closed/new") +
		again([]string{"unshare", "--mount", "sh", "-c", `mount --bind readonly group/file && exec "$@"`, "sh"}, "group/file")
	for _, want := range []string{
		"readonly: open readonly: permission denied",
		"others: replace others by the whole dump: its owner 12345:0 would not be the new one's: operation not permitted",
		"group/file: it was written to", // its owner, and the group that a new file has by itself
		"closed/file: replace closed/file by the whole dump: its folder takes no new file: permission denied",
		"closed/new: create closed/new: permission denied",
		"group/file: replace group/file by the whole dump: it is mounted by itself: device or resource busy",
	} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("not said: %s", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
	if diff := cmp.Diff(before, folderState(t, ".")); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
}

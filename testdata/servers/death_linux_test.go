package servers

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With this variable set the test binary is a program that starts the server named and then does
// nothing until it is killed.
const helperVar = "SERVERS_TEST_HELPER"

func TestMain(m *testing.M) {
	if kind := os.Getenv(helperVar); kind != "" {
		if err := helper(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func helper(kind string) error {
	var s *scratch
	var p *process
	switch kind {
	case "postgres":
		pg, err := StartPostgres()
		if err != nil {
			return err
		}
		s, p = pg.scratch, pg.process
	case "mariadb":
		my, err := StartMariaDB()
		if err != nil {
			return err
		}
		s, p = my.scratch, my.process
	case "s3":
		s3, err := startS3()
		if err != nil {
			return err
		}
		s, p = s3.scratch, s3.process
	case "ferret":
		f, err := StartFerret()
		if err != nil {
			return err
		}
		s, p = f.scratch, f.process
	}
	fmt.Println(p.cmd.Process.Pid, s.dir)
	<-p.done
	return fmt.Errorf("the server ended by itself")
}

// A server does not outlive a process that was killed, and the folder that it left is swept by the
// next start.
func TestKilledOwner(t *testing.T) {
	for _, kind := range []string{"postgres", "mariadb", "s3", "ferret"} {
		t.Run(kind, func(t *testing.T) {
			skipShort(t, kind)
			build := map[string]func() (string, error){"s3": BuildS3, "ferret": BuildFerret}[kind]
			if build != nil {
				if _, err := build(); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), helperVar+"="+kind)
			cmd.Stderr = os.Stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			number, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
			pid, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			server, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(server)

			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // "signal: killed"
			ended, err := unix.Poll([]unix.PollFd{{Fd: int32(server), Events: unix.POLLIN}}, 30_000)
			if err != nil || ended != 1 {
				t.Fatalf("the server is still there 30 s after its owner was killed: %v", err)
			}
			if left := processesIn(t, dir); len(left) > 0 {
				t.Errorf("left running: %v", left)
			}

			old := time.Now().Add(-2 * sweepAge)
			if err := os.Chtimes(dir, old, old); err != nil {
				t.Fatal(err)
			}
			next, err := newScratch(filepath.Dir(dir), kind)
			if err != nil {
				t.Fatal(err)
			}
			defer next.remove()
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", dir, err)
			}
		})
	}
}

// A folder whose owner lives is not swept, however old it is.
func TestSweepSparesTheLiving(t *testing.T) {
	base := t.TempDir()
	s, err := newScratch(base, "kind")
	if err != nil {
		t.Fatal(err)
	}
	defer s.remove()
	old := time.Now().Add(-2 * sweepAge)
	if err := os.Chtimes(s.dir, old, old); err != nil {
		t.Fatal(err)
	}
	other, err := newScratch(base, "kind")
	if err != nil {
		t.Fatal(err)
	}
	defer other.remove()
	if _, err := os.Stat(s.dir); err != nil {
		t.Error(err)
	}
}

// processesIn lists the processes that work in dir or below.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir) {
			found = append(found, link)
		}
	}
	return found
}

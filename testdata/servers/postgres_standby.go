package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Standby starts a hot standby that follows pg, and stops it when the test is over.
func (pg *PG) Standby(t testing.TB) *PG {
	t.Helper()
	standby, err := pg.startStandby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the standby's log:\n%s", standby.logTail())
		}
		if err := standby.Stop(); err != nil {
			t.Error(err)
		}
	})
	return standby
}

func (pg *PG) startStandby() (standby *PG, err error) {
	account, err := serverAccount()
	if err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	s, err := newScratch(serverBase(account, "postgres", "/.s.PGSQL.65535"), "postgres")
	if err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	if err := s.giveTo(account); err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	cmd := exec.Command(filepath.Join(pg.BinDir, "pg_basebackup"), "-h", pg.Host, "-p", strconv.Itoa(pg.Port), "-U", pg.Superuser,
		"-D", s.path("data"), "-X", "stream", "-c", "fast", "--write-recovery-conf", "--no-sync")
	cmd.Dir = s.dir
	cmd.Env = serverEnv()
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("start a standby: pg_basebackup: %w\n%s", err, out)
	}
	conf, err := os.OpenFile(filepath.Join(s.path("data"), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	fmt.Fprintf(conf, "unix_socket_directories = '%s'\n", s.dir)
	if err := conf.Close(); err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	standby = &PG{Host: pg.Host, Superuser: pg.Superuser, BinDir: pg.BinDir, programs: pg.programs, SocketDir: s.dir, LogFile: s.path("log"), scratch: s}
	if err := standby.listen(account); err != nil {
		return nil, fmt.Errorf("start a standby: %w\n%s", err, standby.logTail())
	}
	return standby, nil
}

// CatchUp waits until the standby has everything that the primary has written by now.
func (pg *PG) CatchUp(t testing.TB, primary *PG) {
	t.Helper()
	lsn := primary.Psql(t, "postgres", "SELECT pg_current_wal_flush_lsn()")
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); pg.Psql(t, "postgres", "SELECT pg_last_wal_replay_lsn() >= '"+lsn+"'") != "t"; {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("the standby has not got to %s after a minute", lsn)
		}
	}
}

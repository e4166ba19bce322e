package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// documentdbBin names the programs of a PostgreSQL that has the extension documentdb. FerretDB v2
// keeps its documents there: every BSON type, validators, collations and most options of indexes,
// but views, an oplog or roles no more than v1.
const documentdbBin = "DOCUMENTDB_BIN"

const documentdbSettings = `
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
documentdb_core.enableCollation = on
`

// BuildFerret2 builds FerretDB v2 where it is missing, and returns its path.
func BuildFerret2() (string, error) { return ferret2Tool.build() }

// startFerret2 starts FerretDB v2 and the PostgreSQL below it.
func startFerret2(bin string) (f *FerretServer, err error) {
	if !hasServer(bin) || !hasClients(bin) {
		return nil, fmt.Errorf("start FerretDB v2: no initdb, postgres and psql in %s=%s", documentdbBin, bin)
	}
	pg, err := startPostgres(bin, documentdbSettings)
	if err != nil {
		return nil, fmt.Errorf("start FerretDB v2: over the PostgreSQL of %s=%s, which needs the extensions documentdb and pg_cron: %w", documentdbBin, bin, err)
	}
	f = &FerretServer{LogFile: pg.scratch.path("ferretdb.log"), scratch: pg.scratch, postgres: pg}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start FerretDB v2: %w", errors.Join(err, pg.Stop()))
		}
	}()
	program, err := BuildFerret2()
	if err != nil {
		return nil, err
	}
	psql := exec.Command(filepath.Join(bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN("postgres"),
		"-c", "SET client_min_messages = error; CREATE EXTENSION documentdb CASCADE")
	if out, err := psql.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make the extension: %w\n%s", err, out)
	}
	// As with PostgreSQL a free port can be lost before it is bound.
	for range 10 {
		if err = f.listenOver(program, pg); err == nil || !strings.Contains(f.logTail(), "address already in use") {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, f.logTail())
	}
	return f, nil
}

func (f *FerretServer) listenOver(program string, pg *PG) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	log, err := os.Create(f.LogFile)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy

	f.Host = net.JoinHostPort(pg.Host, strconv.Itoa(port))
	cmd := exec.Command(program, "--no-auth", "--listen-addr="+f.Host, "--debug-addr=-", "--telemetry=disable", "--log-level=WARN",
		"--state-dir="+pg.scratch.dir, "--postgresql-url="+pg.DSN("postgres"))
	cmd.Env = serverEnv()
	cmd.Dir = pg.scratch.dir
	cmd.Stdout, cmd.Stderr = log, log
	if f.process, err = startProcess(cmd, syscall.SIGKILL); err != nil {
		return err
	}
	ready := func() bool {
		conn, err := net.DialTimeout("tcp", f.Host, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	if err := f.process.waitReady(time.Minute, ready); err != nil {
		_ = f.process.stop(syscall.SIGKILL, time.Second)
		return err
	}
	return nil
}

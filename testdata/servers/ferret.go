package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A FerretServer is a private FerretDB v1 over SQLite, which speaks MongoDB's protocol as a
// standalone 7.0, without authentication. It is no mongod: it refuses several BSON types (decimals,
// MinKey and MaxKey, JavaScript, DBPointer), views, time series, validators, collations and most
// options of indexes, and has neither oplog nor roles.
type FerretServer struct {
	Host    string // 127.0.0.1:PORT
	LogFile string

	scratch  *scratch
	process  *process
	postgres *PG // below v2
}

// Ferret starts a server for the test and stops it when the test is over. When the test has failed,
// the end of the server's log goes into the test's.
func Ferret(t testing.TB) *FerretServer {
	t.Helper()
	skipShort(t, "FerretDB")
	f, err := StartFerret()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", f.logTail())
		}
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// StartFerret is Ferret for TestMain and for programs: whoever calls it calls Stop. Where
// DOCUMENTDB_BIN names the programs of a PostgreSQL with the extension documentdb, it is FerretDB
// v2 over that.
func StartFerret() (f *FerretServer, err error) {
	if bin := os.Getenv(documentdbBin); bin != "" {
		return startFerret2(bin)
	}
	bin, err := BuildFerret()
	if err != nil {
		return nil, err
	}
	s, err := newScratch(os.TempDir(), "ferret")
	if err != nil {
		return nil, fmt.Errorf("start FerretDB: %w", err)
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	f = &FerretServer{LogFile: s.path("log"), scratch: s}
	if err := f.listen(bin); err != nil {
		return nil, fmt.Errorf("start FerretDB: %w\n%s", err, f.logTail())
	}
	return f, nil
}

// BuildFerret builds the server's program where it is missing, and returns its path.
func BuildFerret() (string, error) { return ferretTool.build() }

// Stop ends the server at once, as its data is thrown away, and removes its folder.
func (f *FerretServer) Stop() error {
	if f.postgres != nil {
		return errors.Join(f.process.stop(syscall.SIGKILL, 10*time.Second), f.postgres.Stop())
	}
	return errors.Join(f.process.stop(syscall.SIGKILL, 10*time.Second), f.scratch.remove())
}

// URI is the server's address, with db as the default database unless it is empty.
func (f *FerretServer) URI(db string) string { return "mongodb://" + f.Host + "/" + db }

// Env is the same as the program's environment variables.
func (f *FerretServer) Env(db string) []string {
	return []string{"MONGO_URI=" + f.URI(""), "MONGO_DATABASE=" + db}
}

// logTail returns the last 4 KiB of the server's log.
func (f *FerretServer) logTail() string {
	text, err := os.ReadFile(f.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// listen starts the program, which finds a port by itself and then says which.
func (f *FerretServer) listen(bin string) error {
	data := f.scratch.path("data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	log, err := os.Create(f.LogFile)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy
	address, err := os.Create(f.scratch.path("address"))
	if err != nil {
		return err
	}
	defer address.Close()

	cmd := exec.Command(bin, data)
	cmd.Env = serverEnv()
	cmd.Dir = f.scratch.dir
	cmd.Stdout, cmd.Stderr = address, log
	f.process, err = startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	var uri string
	ready := func() bool {
		text, err := os.ReadFile(address.Name())
		line, whole := strings.CutSuffix(string(text), "\n")
		uri = line
		return err == nil && whole
	}
	if err := f.process.waitReady(time.Minute, ready); err != nil {
		_ = f.process.stop(syscall.SIGKILL, time.Second)
		return err
	}
	f.Host = strings.TrimSuffix(strings.TrimPrefix(uri, "mongodb://"), "/")
	return nil
}

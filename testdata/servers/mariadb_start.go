package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mysqlOptions are for a server whose data nobody will miss. They hold for MariaDB from 10.6 and
// MySQL from 8.0.
var mysqlOptions = []string{
	"--bind-address=127.0.0.1",
	"--skip-name-resolve",
	"--server-id=1",
	"--log-bin=binlog",
	"--sync-binlog=0",
	"--innodb-flush-method=nosync",
	"--innodb-flush-log-at-trx-commit=0",
	"--innodb-doublewrite=0",
	"--innodb-use-native-aio=0",
	"--max-connections=200",
	"--max-allowed-packet=1G",
	"--character-set-server=utf8mb4",
	"--default-time-zone=+00:00",
	"--event-scheduler=OFF",
	"--local-infile=ON",
}

// start makes the server's folder and starts the server in it.
func (my *MySQL) start(options []string) (err error) {
	account, err := serverAccount()
	if err != nil {
		return err
	}
	const kind = "mariadb"
	if my.scratch, err = newScratch(serverBase(account, kind, "/socket"), kind); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			my.scratch.remove()
		}
	}()
	if err := my.scratch.giveTo(account); err != nil {
		return err
	}
	my.Socket, my.LogFile = my.scratch.path("socket"), my.scratch.path("log")
	if err := my.makeData(account); err != nil {
		return err
	}
	if err := os.WriteFile(my.scratch.path("init.sql"), []byte(mysqlAccounts), 0o644); err != nil {
		return err
	}
	// A free port can be lost to another process before the server binds it.
	for range 10 {
		if err = my.listen(account, options); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, my.logTail())
	}
	return nil
}

// mysqlAccounts lets the superuser in over TCP. The server runs it at each start; a statement is a
// line.
const mysqlAccounts = `SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS root@127.0.0.1;
GRANT ALL PRIVILEGES ON *.* TO root@127.0.0.1 WITH GRANT OPTION;
`

// listen starts the server on a free port and returns when it is ready.
func (my *MySQL) listen(account account, options []string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	log, err := os.Create(my.LogFile)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy

	args := append([]string{"--no-defaults"}, mysqlOptions...)
	if my.IsMariaDB {
		args = append(args, "--innodb-log-file-size=96M")
	} else {
		args = append(args, "--innodb-redo-log-capacity=100M", "--mysqlx=OFF")
	}
	args = append(args,
		// A MariaDB that starts deletes the temporary tables in its folder for them, whosever they
		// are.
		"--tmpdir="+my.scratch.dir,
		"--datadir="+my.scratch.path("data"), "--socket="+my.Socket, "--pid-file="+my.scratch.path("pid"),
		"--port="+strconv.Itoa(port), "--init-file="+my.scratch.path("init.sql"))
	cmd := exec.Command(my.programs.server, append(args, options...)...)
	cmd.Dir = my.scratch.dir
	cmd.Env = serverEnv()
	cmd.Stdout, cmd.Stderr = log, log
	account.apply(cmd)
	process, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	// The log is this server's own word, where an answer on the port could be another's.
	ready := func() bool { return strings.Contains(my.logTail(), ": ready for connections") }
	if err := process.waitReady(time.Minute, ready); err != nil {
		_ = process.stop(syscall.SIGKILL, 5*time.Second)
		if strings.Contains(my.logTail(), "Address already in use") {
			return errPortTaken
		}
		return err
	}
	my.Port, my.process = port, process
	return nil
}

// mysqlPrograms are the paths of one version's programs.
type mysqlPrograms struct {
	server, install, client, dumper string // install: MariaDB's alone
}

func findMySQL() (mysqlPrograms, error) {
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/bin")
	if bin := os.Getenv("MYSQL_BIN"); bin != "" {
		dirs = []string{bin}
	}
	find := func(name string) string {
		for _, dir := range dirs {
			if path := filepath.Join(dir, name); isFile(path) {
				return path
			}
		}
		return ""
	}
	p := mysqlPrograms{find("mariadbd"), find("mariadb-install-db"), find("mariadb"), find("mariadb-dump")}
	if p.server == "" {
		p = mysqlPrograms{server: find("mysqld"), client: find("mysql"), dumper: find("mysqldump")}
	} else if p.install == "" {
		p.server = ""
	}
	if p.server == "" || p.client == "" || p.dumper == "" {
		if bin := os.Getenv("MYSQL_BIN"); bin != "" {
			return p, fmt.Errorf("find MariaDB: MYSQL_BIN=%s has not all of mariadbd, mariadb-install-db, mariadb and mariadb-dump, nor of mysqld, mysql and mysqldump", bin)
		}
		return p, errors.New("find MariaDB: not installed; on Debian: apt-get install -y --no-install-recommends mariadb-server-core mariadb-client")
	}
	return p, nil
}

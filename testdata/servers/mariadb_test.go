package servers

import (
	"os"
	"strings"
	"testing"
)

func TestMariaDB(t *testing.T) {
	my := MariaDB(t)
	db := my.CreateDB(t)
	if got := my.Query(t, db, "SELECT 1; SELECT @@log_bin, database(), 'a\\tb\\nc\\\\', NULL"); got != "1\n1\t"+db+"\ta\tb\nc\\\tNULL" {
		t.Errorf("query: %q", got)
	}
	if other := my.CreateDB(t); other == db {
		t.Errorf("two databases are named %s", db)
	}
	accounts := my.Query(t, "", "SELECT concat(user, '@', host) FROM mysql.user WHERE user NOT LIKE 'm%.%' ORDER BY 1")
	if accounts != "root@127.0.0.1\nroot@localhost" {
		t.Errorf("accounts: %q", accounts)
	}
}

func TestMariaDBCommands(t *testing.T) {
	my := MariaDB(t, "--sql-mode=ANSI_QUOTES")
	db := my.CreateDB(t)
	my.Query(t, db, `CREATE TABLE "t" (i int)`)
	out, err := my.Command(my.Dumper, db).Output()
	if err != nil || !strings.Contains(string(out), "CREATE TABLE") {
		t.Errorf("dump: %v\n%s", err, out)
	}
	// Over TCP, as the program finds the server.
	cmd := my.Command(my.Client, "--protocol=tcp", "--host="+my.Host, "-Nse", "SELECT user()", db)
	cmd.Env = append(os.Environ(), my.Env(db)...)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "root@127.0.0.1" {
		t.Errorf("over TCP: %v\n%s", err, out)
	}
}

func TestMariaDBSideBySide(t *testing.T) {
	one, two := MariaDB(t), MariaDB(t)
	one.Query(t, "", "CREATE DATABASE only_here")
	if got := two.Query(t, "", "SHOW DATABASES LIKE 'only%'"); got != "" {
		t.Error("two servers share their data")
	}
}

func TestMariaDBMissing(t *testing.T) {
	t.Setenv("MYSQL_BIN", t.TempDir())
	if _, err := StartMariaDB(); err == nil || !strings.Contains(err.Error(), "MYSQL_BIN") {
		t.Errorf("with an empty MYSQL_BIN: %v", err)
	}
}

func TestMariaDBStops(t *testing.T) {
	skipShort(t, "MariaDB")
	if _, err := StartMariaDB("--no-such-option"); err == nil || !strings.Contains(err.Error(), "unknown option") {
		t.Errorf("with an option that the server does not know: %v", err)
	}
}

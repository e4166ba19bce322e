package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestMySQLScripts runs testdata/script-mysql on a real MariaDB (or what MYSQL_BIN names) and a
// real restic. A script has a server's databases of its own: DB, and COPY, which is empty.
func TestMySQLScripts(t *testing.T) {
	my := servers.MariaDB(t)
	restic := servers.Restic(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script-mysql",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			db, other := my.CreateDB(t), my.CreateDB(t)
			env.Values[scriptMySQL{}] = my
			env.Vars = append(env.Vars, my.Env(db)...)
			env.Vars = append(
				env.Vars,
				"DB="+db, "COPY="+other, "DB_TYPE=mariadb", "RESTIC_HOST=db", "JOB_NAME=shop",
			)
			env.Vars = append(env.Vars, repositoryVars(env.WorkDir, restic)...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     cmdExits,
			"mysql":     cmdMySQL,
			"mysqldump": cmdMySQLDump,
			"same":      cmdSameMySQL,
			"waitfor":   cmdWaitFor,
		},
	})
}

type scriptMySQL struct{}

// mysql database sql [wanted] runs SQL and, where it is given, wants what the client prints.
func cmdMySQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: mysql database sql [wanted]")
	}
	my := ts.Value(scriptMySQL{}).(*servers.MySQL)
	out, err := my.Command(my.Client, "--batch", "--raw", "--skip-column-names", "--execute="+args[1], "--database="+args[0]).CombinedOutput()
	if err != nil {
		ts.Fatalf("client: %v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); len(args) == 3 && got != args[2] {
		ts.Fatalf("client: %s\ngives %q, want %q", args[1], got, args[2])
	}
}

// mysqldump file args... writes what the server's own dump tool does into a file.
func cmdMySQLDump(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mysqldump file args...")
	}
	out, err := mysqlDump(ts.Value(scriptMySQL{}).(*servers.MySQL), args[1:]...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
}

func mysqlDump(my *servers.MySQL, args ...string) ([]byte, error) {
	return my.Command(my.Dumper, append([]string{"--single-transaction", "--routines", "--skip-dump-date"}, args...)...).Output()
}

// same db1 db2 wants the dump tool to say the same of both databases.
func cmdSameMySQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same db1 db2")
	}
	my := ts.Value(scriptMySQL{}).(*servers.MySQL)
	for i, db := range args {
		out, err := mysqlDump(my, db)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs([]string{"left.sql", "right.sql"}[i]), []byte(strings.ReplaceAll(string(out), db, "db")), 0o600))
	}
	if diff, err := exec.Command("diff", ts.MkAbs("left.sql"), ts.MkAbs("right.sql")).CombinedOutput(); err != nil {
		ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], diff)
	}
}

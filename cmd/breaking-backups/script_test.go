package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

var update = flag.Bool("update", false, "write what commands print into the scripts' goldens")

// The test binary is the program too: a script's breaking-backups is this process started again as
// it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"breaking-backups": main})
}

// TestScripts runs testdata/script: each command, its help, its wrong uses and its exit codes, on a
// real PostgreSQL and a real restic. A script has a database of its own and the variables that
// run-once needs; they begin with what one needs to know of them.
func TestScripts(t *testing.T) {
	pg := servers.Postgres(t)
	restic := servers.Restic(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			name := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
					return r
				}
				return '_'
			}, filepath.Base(env.WorkDir))
			env.Values[scriptPG{}] = pg
			for _, db := range []string{name, name + "_copy"} {
				pg.Psql(t, "postgres", "CREATE DATABASE "+db)
			}
			env.Vars = append(env.Vars, pg.Env(name)...)
			env.Vars = append(
				env.Vars,
				"DB="+name, "COPY="+name+"_copy", "DB_TYPE=postgres", "JOB_NAME=shop", "RESTIC_HOST=db",
			)
			env.Vars = append(env.Vars, repositoryVars(env.WorkDir, restic)...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   cmdExits,
			"psql":    cmdPsql,
			"webhook": cmdWebhook,
			"same":    cmdSame,
			"oldest":  cmdOldest,
			"waitfor": cmdWaitFor,
			"listen":  cmdListen,
			"http":    cmdHTTP,
		},
	})
}

// repositoryVars are the variables of a script's own repository in its folder.
func repositoryVars(dir, restic string) []string {
	return []string{
		"RESTIC_REPOSITORY=" + filepath.Join(dir, "repo"), "RESTIC_PASSWORD=correct horse",
		"RESTIC_BINARY=" + restic, "RESTIC_CACHE_DIR=" + filepath.Join(dir, "cache"),
		"WORK_DIR=" + filepath.Join(dir, "work"), "LOG_FORMAT=text", "LOCK_WAIT_SECONDS=20",
	}
}

type scriptPG struct{}

// exits CODE command [args...] runs a command, with stdin from the file "stdin" if there is one,
// and wants its exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// psql database sql [wanted] runs SQL and, where it is given, wants what psql prints.
func cmdPsql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: psql database sql [wanted]")
	}
	pg := ts.Value(scriptPG{}).(*servers.PG)
	out, err := exec.Command(filepath.Join(pg.BinDir, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN(args[0]), "-c", args[1]).CombinedOutput()
	if err != nil {
		ts.Fatalf("psql: %v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); len(args) == 3 && got != args[2] {
		ts.Fatalf("psql: %s\ngives %q, want %q", args[1], got, args[2])
	}
}

// webhook status... starts a receiver that answers with the statuses in turn, sets WEBHOOK_URL, and
// writes what it is sent, each report a line, into the file webhook.
func cmdWebhook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: webhook status...")
	}
	var statuses []int
	for _, arg := range args {
		status, err := strconv.Atoi(arg)
		ts.Check(err)
		statuses = append(statuses, status)
	}
	r := newReceiver(statuses, ts.MkAbs("webhook"))
	ts.Defer(r.Close)
	ts.Setenv("WEBHOOK_URL", r.URL+"/hook/s3cret-path")
}

// same db1 db2 wants pg_dump of both databases to be equal, but for the order of rows.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same db1 db2")
	}
	pg := ts.Value(scriptPG{}).(*servers.PG)
	var dumps [2]string
	for i, db := range args {
		text, err := pgDump(pg, db)
		ts.Check(err)
		dumps[i] = text
	}
	if dumps[0] != dumps[1] {
		ts.Check(os.WriteFile(ts.MkAbs("one.sql"), []byte(dumps[0]), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("two.sql"), []byte(dumps[1]), 0o600))
		diff, _ := exec.Command("diff", ts.MkAbs("one.sql"), ts.MkAbs("two.sql")).CombinedOutput()
		ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], diff)
	}
}

// pgDump is what pg_dump writes, its lines sorted, without those that differ from run to run.
func pgDump(pg *servers.PG, db string) (string, error) {
	out, err := exec.Command(filepath.Join(pg.BinDir, "pg_dump"), "-d", pg.DSN(db)).Output()
	if err != nil {
		return "", fmt.Errorf("pg_dump %s: %w", db, err)
	}
	var kept []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
			kept = append(kept, line)
		}
	}
	slices.Sort(kept)
	return strings.Join(kept, ""), nil
}

// oldest sets OLDEST to the id of the repository's oldest snapshot.
func cmdOldest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: oldest")
	}
	ts.Check(ts.Exec("breaking-backups", "snapshots", "--all", "--json"))
	var snapshots []struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &snapshots))
	ts.Setenv("OLDEST", snapshots[0].ID)
}

// waitfor regexp file waits until the file's text matches, a minute at most.
func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor regexp file")
	}
	wanted := regexp.MustCompile(args[0])
	matches := func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[1]))
		return err == nil && wanted.Match(text)
	}
	if !poll(time.Minute, matches) {
		ts.Fatalf("%s does not come to match %s", args[1], args[0])
	}
}

// poll asks until the answer is yes, and reports whether it came to that within limit.
func poll(limit time.Duration, yes func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return yes()
		}
	}
	return true
}

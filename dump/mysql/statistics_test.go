package mysql

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A load ends with the optimizer's statistics of the tables that their engines make none of, and
// only of those.
func TestLoadAnalyzes(t *testing.T) {
	my := testServer(t)
	row := func(i int) string { return fmt.Sprintf("(%d,%d)", i, i%5) }
	var sql strings.Builder
	var manifest dump.Manifest
	for _, table := range []struct{ name, options string }{{"my``isam", "ENGINE=MyISAM"}, {"off", "ENGINE=InnoDB STATS_AUTO_RECALC=0"}, {"itself", "ENGINE=InnoDB"}} {
		fmt.Fprintf(&sql, "CREATE TABLE `%s` (\n  `a` int NOT NULL,\n  `b` int NOT NULL,\n  PRIMARY KEY (`a`),\n  KEY `b` (`b`)\n) %s;\nSTART TRANSACTION;\n", table.name, table.options)
		entry := dump.Table{Name: "`" + table.name + "`"}
		for from := 0; from < 1000; from += 100 {
			var rows []string
			for i := from; i < from+100; i++ {
				rows = append(rows, row(i))
			}
			fmt.Fprintf(&sql, "INSERT INTO `%s` (`a`, `b`) VALUES\n%s;\n", table.name, strings.Join(rows, ",\n"))
			part := tableOf("", rows...)
			entry.Rows, entry.Hash = entry.Rows+part.Rows, entry.Hash+part.Hash
		}
		sql.WriteString("COMMIT;\n")
		manifest = append(manifest, entry)
	}
	stream := my.written(t, manifest, sql.String())
	for _, without := range []bool{false, true} {
		for jobs := 1; jobs <= 2; jobs++ {
			db := my.CreateDB(t)
			commands := func() string {
				return strings.Fields(my.Query(t, "", "SHOW GLOBAL STATUS LIKE 'Com_analyze'"))[1]
			}
			before := commands()
			if err := my.load(t, LoadConfig{Database: db, NoAnalyze: without, Jobs: jobs}, stream); err != nil {
				t.Fatal(err)
			}
			if without {
				if after := commands(); after != before {
					t.Errorf("%d jobs: ANALYZE was run where it was not to be", jobs)
				}
				continue
			}
			const known = "SELECT table_name, cardinality FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = IF(table_name = 'off', 'PRIMARY', 'b') AND table_name <> 'itself' ORDER BY table_name"
			if got := my.Query(t, db, known); got != "my`isam\t5\noff\t1000" {
				t.Errorf("%d jobs: the optimizer knows %q", jobs, got)
			}
			if before, after := number(t, before), number(t, commands()); after != before+2 {
				t.Errorf("%d jobs: ANALYZE was run %d times", jobs, after-before)
			}
		}
	}
}

// Statistics that the account may not make are a warning, and the load has succeeded.
func TestLoadWithoutTheRightToAnalyze(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	account := my.user(t, "CREATE, INSERT, ALTER ON "+quote.Name(db)+".*")
	stream := my.written(t, dump.Manifest{tableOf("`t`", "(1)")}, "CREATE TABLE `t` (\n  `a` int\n) ENGINE=MyISAM;\nINSERT INTO `t` (`a`) VALUES\n(1);\n")
	var warnings []string
	err := my.load(t, LoadConfig{Server: account, Database: db, Warn: func(text string) { warnings = append(warnings, text) }}, stream)
	want := "the optimizer's statistics of `" + db + "`.`t` are not made: Error 1142"
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], want) {
		t.Errorf("error %v, warnings %q, want %s", err, warnings, want)
	}
}

// A load that is to stay out of the binary log does, on all of its sessions, and says which right
// that takes before it changes anything.
func TestLoadWithoutBinlog(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	row := func(i int) string { return fmt.Sprintf("(%d,'')", i) }
	stream := my.written(t, dump.Manifest{spreadTable("t", 50, row)}, spreadRows("t", 50, row)+"ALTER TABLE `t`\n  ADD KEY `k` (`b`(9));\n")
	position := func() string {
		rows, err := my.session(t).List(t.Context(), "SHOW BINARY LOGS")
		if err != nil || len(rows) == 0 {
			t.Fatalf("%v: %v", rows, err)
		}
		last := rows[len(rows)-1]
		return last["log_name"] + " " + last["file_size"]
	}
	for _, jobs := range []int{1, 3} {
		my.Query(t, db, "DROP TABLE IF EXISTS t")
		before := position()
		if err := my.load(t, LoadConfig{Database: db, NoBinlog: true, Jobs: jobs}, stream); err != nil {
			t.Fatal(err)
		}
		if after := position(); after != before {
			t.Errorf("%d jobs: the binary log was at %s and is at %s", jobs, before, after)
		}
	}
	account := my.user(t, "ALL ON "+quote.Name(db)+".*")
	right := "BINLOG ADMIN"
	if my.family == server.MySQL {
		right = "SESSION_VARIABLES_ADMIN"
	}
	want := "; the account lacks a right: GRANT " + right + " ON *.* TO `" + account.User + "`@`127.0.0.1`"
	err := my.load(t, LoadConfig{Server: account, Database: db, NoBinlog: true, Clean: true}, stream)
	if err == nil || !strings.HasSuffix(err.Error(), want) || errors.As(err, new(*dump.PartialError)) || my.Query(t, db, "SELECT COUNT(*) FROM t") != "50" {
		t.Errorf("error %v, want … %s", err, want)
	}
	my.Query(t, "", "GRANT "+right+" ON *.* TO `"+account.User+"`@`127.0.0.1`")
	if err := my.load(t, LoadConfig{Server: account, Database: db, NoBinlog: true, Clean: true}, stream); err != nil {
		t.Errorf("with that right: %v", err)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

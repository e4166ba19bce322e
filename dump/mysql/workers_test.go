package mysql

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// spreadRows are statements that a crew takes: a table stored by its key, and rows in statements of
// their own.
func spreadRows(table string, statements int, row func(int) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE `%s` (\n  `a` int NOT NULL,\n  `b` longtext,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB;\nSTART TRANSACTION;\n", table)
	for i := range statements {
		fmt.Fprintf(&b, "INSERT INTO `%s` (`a`, `b`) VALUES\n%s;\n", table, row(i))
	}
	b.WriteString("COMMIT;\n")
	return b.String()
}

// spreadTable is the manifest's entry for them.
func spreadTable(table string, statements int, row func(int) string) dump.Table {
	rows := make([]string, statements)
	for i := range rows {
		rows[i] = row(i)
	}
	return tableOf(quote.Name(table), rows...)
}

func TestOneFailureEndsAllWithOneError(t *testing.T) {
	my := testServer(t)
	good := func(i int) string { return fmt.Sprintf("(%d,'%s')", i, strings.Repeat("x", 1000)) }
	for name, c := range map[string]struct {
		sql  string
		want []string
	}{
		"a row": {
			spreadRows("t", 200, func(i int) string { return strings.Replace(good(i), "(150,", "(NULL,", 1) }),
			[]string{"INSERT INTO `t` (`a`, `b`) VALUES …: ", "Column 'a' cannot be null"},
		},
		"an index": {
			spreadRows("t", 2, good) + "ALTER TABLE `t`\n  ADD KEY `k` (`missing`);\n" + spreadRows("u", 100, good),
			[]string{"ALTER TABLE `t` …: ", "'missing' doesn't exist in table"},
		},
		"a statement behind": {
			spreadRows("t", 2, good) + "ALTER TABLE `t`\n  ADD KEY `k` (`b`(9));\n" + "CREATE VIEW v AS SELECT c FROM t;\n",
			[]string{"CREATE VIEW v AS SELECT c FROM t: ", "Unknown column 'c'"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			running := goleak.IgnoreCurrent()
			err := my.load(t, LoadConfig{Database: my.CreateDB(t), Jobs: 3}, my.written(t, nil, c.sql))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, "restore: line ", "the target now holds a part of the dump") {
				if strings.Count(err.Error(), want) != 1 {
					t.Errorf("error %q does not say %q once", err, want)
				}
			}
			goleak.VerifyNone(t, running)
		})
	}
}

// A load that fails closes what it reads from: nobody waits for the rest of the dump.
func TestFailedLoadClosesItsReader(t *testing.T) {
	my := testServer(t)
	stream := my.written(t, nil, spreadRows("t", 200, func(int) string { return "(1,'" + strings.Repeat("x", 1000) + "')" }))
	r, w := io.Pipe()
	go func() { _, _ = w.Write(stream[:len(stream)/2]) }() // and never the rest
	done := make(chan error, 1)
	go func() { done <- my.loader(t, LoadConfig{Database: my.CreateDB(t)}).Load(t.Context(), r) }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "Duplicate entry '1'") {
			t.Errorf("error %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for the rest")
	}
}

func TestLoadWithFewerConnections(t *testing.T) {
	my := testServer(t)
	row := func(i int) string { return fmt.Sprintf("(%d,'')", i) }
	stream := my.written(t, dump.Manifest{spreadTable("t", 50, row)}, spreadRows("t", 50, row))
	for most, want := range map[int]string{1: "fewer connections", 2: "fewer connections", 5: ""} {
		db := my.CreateDB(t)
		user := my.user(t, "ALL ON "+quote.Name(db)+".*")
		my.Query(t, "", fmt.Sprintf("ALTER USER %s@'127.0.0.1' WITH MAX_USER_CONNECTIONS %d", quote.Literal(user.User), most))
		var warnings []string
		err := my.load(t, LoadConfig{Server: user, Database: db, Jobs: 3, Warn: func(text string) { warnings = append(warnings, text) }}, stream)
		if err != nil {
			t.Errorf("%d connections: %v", most, err)
		}
		if got := strings.Join(warnings, "; "); strings.Contains(got, "fewer connections") != (want != "") {
			t.Errorf("%d connections: warnings %q", most, got)
		}
	}
}

package mysql

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// TestConformance holds this engine to what every engine promises, and its dumps against
// mysqldump's: what mysqldump says of a database restored from ours is what it says of the
// original.
func TestConformance(t *testing.T) {
	my := testServer(t)
	dumptest.Run(t, dumptest.Suite[string]{
		Contents: func(t *testing.T, stream []byte) *dump.Contents {
			c, err := dump.ReadContents(bytes.NewReader(stream), int64(len(stream)))
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		New: func(t *testing.T) string { return my.CreateDB(t) },
		Source: func(t *testing.T, db string, jobs int, told func(dump.Table)) dump.Source {
			return my.source(t, Config{Databases: []string{db}, Jobs: jobs, Table: told, AllowEmpty: true})
		},
		Loader: func(t *testing.T, db string, o dumptest.Options) dumptest.Loader {
			return my.loader(t, LoadConfig{Database: db, Jobs: o.Jobs, Clean: o.Clean, Part: o.Part, Refused: o.Refused, Into: o.Into, Warn: o.Warn})
		},
		Verify: Verify,
		Items:  Items,
		ByTool: func(t *testing.T, db string, stream []byte) { my.client(t, db, stream) },
		Same: func(t *testing.T, original, restored string) {
			// MariaDB names the database of a sequence.
			say := func(db string) []string {
				return lines(strings.ReplaceAll(my.mysqldump(t, db), quote.Name(db)+".", ""))
			}
			if diff := cmp.Diff(say(original), say(restored)); diff != "" {
				t.Errorf("mysqldump tells the restored database from the original (-original +restored):\n%s", diff)
			}
		},
		Sessions: my.sessions,
		Kill:     my.kill,
		Pattern:  func(table string) string { return table }, // the manifest writes names in backquotes
		SameTable: func(t *testing.T, original, restored, table string) {
			name := strings.ReplaceAll(table[1:len(table)-1], "``", "`")
			if got := my.Query(t, restored, besides); got != name+"\n0" {
				t.Errorf("there is %q", got)
			}
			if diff := cmp.Diff(lines(my.dumpOf(t, original, name)), lines(my.dumpOf(t, restored, name))); diff != "" {
				t.Errorf("mysqldump tells the restored table from the original (-original +restored):\n%s", diff)
			}
		},
		Cases:    my.cases(t),
		Refusing: my.refusing(),
		Ledger:   my.ledger(),
	})
}

// besides asks for what came with a table: of all that there is, its defaults' sequences may.
const besides = `SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'SEQUENCE';
	SELECT (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()) + (SELECT COUNT(*) FROM information_schema.events WHERE event_schema = DATABASE())`

// sessions counts the sessions that this program has on the server: MySQL and MariaDB know which
// program a session belongs to only where the performance schema is on, but no other comes over TCP
// while it is not asked.
func (my *testMySQL) sessions(t *testing.T, _ string) int {
	t.Helper()
	n, err := strconv.Atoi(my.Query(t, "", "SELECT COUNT(*) FROM information_schema.processlist WHERE host LIKE '127.0.0.1:%' AND id <> connection_id()"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kill ends the sessions that sessions counts.
func (my *testMySQL) kill(ctx context.Context, _ string) error {
	c, err := my.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	ids, err := c.Firsts(ctx, "SELECT id FROM information_schema.processlist WHERE host LIKE '127.0.0.1:%' AND id <> connection_id()")
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.Exec(ctx, "KILL CONNECTION "+id); err != nil && !server.IsError(err, 1094) { // it has ended meanwhile
			return err
		}
	}
	return nil
}

// cases are the scripts of testdata/database, those of one family alone by their names.
func (my *testMySQL) cases(t *testing.T) (list []dumptest.Case[string]) {
	scripts, err := filepath.Glob("testdata/database/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	other := map[server.Family]string{server.MySQL: "mariadb", server.MariaDB: "mysql"}[my.family]
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".sql")
		if strings.HasPrefix(name, other) {
			continue
		}
		c := dumptest.Case[string]{Name: name, Fill: func(t *testing.T, db string) { my.client(t, db, readFile(t, script)) }}
		if name == "kinds" {
			c.Joined = []string{"`merge_1`", "`merge_2`", "`merged`"} // nobody can open the last without the others
			c.NoHalves = "the servers' triggers cannot be silenced, and change the rows that come when they are there"
		}
		list = append(list, c)
	}
	return list
}

// refusing is a database with a row that is too long for the server as it is in the end, and a view
// that calls a function of another database, which is gone by then.
func (my *testMySQL) refusing() *dumptest.Refusing[string] {
	var other string
	return &dumptest.Refusing[string]{
		Fill: func(t *testing.T, db string) {
			other = my.CreateDB(t)
			my.trustCreators(t)
			my.Query(t, other, "CREATE FUNCTION gone() RETURNS INT DETERMINISTIC RETURN 1")
			my.Query(t, db, "CREATE TABLE `long er` (id INT PRIMARY KEY, body LONGTEXT, KEY (id)); INSERT INTO `long er` VALUES (1, 'x'), (2, REPEAT('y', 3000000)), (3, 'z'); "+
				"CREATE TABLE others (id INT PRIMARY KEY); INSERT INTO others VALUES (1), (2); CREATE VIEW calls AS SELECT "+quote.Name(other)+".gone() AS a; CREATE VIEW sees AS SELECT id FROM others")
		},
		Lack: func(t *testing.T, _ string) {
			my.Query(t, "", "DROP DATABASE "+other)
			packet := my.Query(t, "", "SELECT @@GLOBAL.max_allowed_packet")
			my.Query(t, "", "SET GLOBAL max_allowed_packet = 1048576")
			t.Cleanup(func() { my.Query(t, "", "SET GLOBAL max_allowed_packet = "+packet) })
		},
		Missing: []dump.Table{{Name: "`long er`", Rows: 1}},
		Refused: 2, // the row, the view
	}
}

func (my *testMySQL) ledger() dumptest.Ledger[string] {
	return dumptest.Ledger[string]{
		Rows: 90_000,
		Fill: func(t *testing.T, db string) {
			digits := "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
			my.Query(t, db, `CREATE TABLE numbers (i INT PRIMARY KEY);
				INSERT INTO numbers SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d FROM `+digits+" a, "+digits+" b, "+digits+" c, "+digits+" e, "+digits+` f;
				CREATE TABLE a_accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL);
				INSERT INTO a_accounts SELECT i, 1000 FROM numbers WHERE i <= 100;
				CREATE TABLE z_accounts LIKE a_accounts;
				INSERT INTO z_accounts SELECT * FROM a_accounts;
				CREATE TABLE m_rows (id INT PRIMARY KEY, body VARCHAR(100) NOT NULL, version INT NOT NULL);
				INSERT INTO m_rows SELECT i, LEFT(CONCAT(SHA2(i, 256), SHA2(i + 1, 256)), 96), 100000 FROM numbers WHERE i <= 90000;
				DROP TABLE numbers; ANALYZE TABLE m_rows`)
		},
		Rewrite: func(t *testing.T, db string, n int) {
			my.Query(t, db, fmt.Sprintf("UPDATE m_rows SET version = version + 1 WHERE id BETWEEN 45000 AND 44999 + %d", n))
		},
		Delete: func(t *testing.T, db string, n int) {
			my.Query(t, db, fmt.Sprintf("DELETE FROM m_rows WHERE id BETWEEN 45000 AND 44999 + %d", n))
		},
		Transfer: func(ctx context.Context, db string) error {
			c, err := my.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			for _, sql := range []string{
				"USE " + quote.Name(db), "START TRANSACTION",
				"UPDATE a_accounts SET balance = balance - 1 WHERE id = 1 + connection_id() % 100",
				"UPDATE z_accounts SET balance = balance + 1 WHERE id = 1 + connection_id() % 100",
				"COMMIT",
			} {
				if err := c.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		},
		Total: func(t *testing.T, db string) int64 {
			total, err := strconv.ParseInt(my.Query(t, db, "SELECT SUM(balance) FROM (SELECT * FROM a_accounts UNION ALL SELECT * FROM z_accounts) a"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return total
		},
	}
}

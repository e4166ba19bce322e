package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestServerFidelity dumps all databases of a server with its accounts.
func TestServerFidelity(t *testing.T) {
	from := newTestMySQL(servers.MariaDB(t))
	from.prepare(t)
	from.client(t, "", readFile(t, "testdata/server-"+strings.ToLower(string(from.family))+".sql"))
	stream := from.dump(t, Config{})
	if again := from.dump(t, Config{Jobs: 4}); !bytes.Equal(stream, again) {
		t.Errorf("two dumps of an unchanged server differ:\n%s", cmp.Diff(lines(string(stream)), lines(string(again))))
	}
	original := from.whole(t)

	byClient, natively := newTestMySQL(servers.MariaDB(t)), newTestMySQL(servers.MariaDB(t))
	same := func(how string, restored *testMySQL) {
		t.Helper()
		if diff := cmp.Diff(lines(original), lines(restored.whole(t))); diff != "" {
			t.Errorf("the server restored %s is another one (-original +restored):\n%s", how, diff)
		}
		if again := restored.dump(t, Config{}); !bytes.Equal(stream, again) {
			t.Errorf("the dump of the server restored %s is another one:\n%s", how, cmp.Diff(lines(string(stream)), lines(string(again))))
		}
	}
	byClient.prepare(t)
	byClient.client(t, "", stream)
	same("by client", byClient)

	// Over what is there: refused before a user is altered, done when asked for.
	natively.prepare(t)
	natively.Query(t, "", "CREATE USER app@'%' IDENTIFIED BY 'other'; CREATE DATABASE shop; CREATE TABLE shop.old (a INT)")
	if err := natively.load(t, LoadConfig{}, stream); !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "shop") {
		t.Errorf("loading over databases that exist: %v, want ErrNotEmpty and their names", err)
	}
	if err := natively.load(t, LoadConfig{Database: "shop", Clean: true}, stream); !errors.Is(err, ErrSeveral) {
		t.Errorf("loading a server into one database: %v, want ErrSeveral", err)
	}
	if got := natively.Query(t, "", "SELECT COUNT(*) FROM mysql.user WHERE user = 'late'"); got != "0" {
		t.Error("a refused load made a user")
	}
	for range 2 {
		if err := natively.load(t, LoadConfig{Clean: true}, stream); err != nil {
			t.Fatal(err)
		}
		same("natively", natively)
	}
	lostPrivileges(t, from, byClient, natively)
}

// lostPrivileges gives accounts of a server, which has been restored to two others, what these
// cannot take: they get all the rest, by the client too, and natively what is refused is named.
func lostPrivileges(t *testing.T, from, byClient, natively *testMySQL) {
	from.Query(t, "", `CREATE TABLE shop.gone (a INT, b INT); CREATE TABLE shop.kept (a INT, b INT); CREATE VIEW shop.v AS SELECT a FROM shop.kept;
		CREATE PROCEDURE shop.was() SELECT 1; CREATE USER zz@'%';
		GRANT SELECT ON shop.gone TO late@'%'; GRANT CREATE ON shop.gone TO zz@'%'; GRANT SELECT (b), INSERT (a, b) ON shop.kept TO late@'%';
		GRANT EXECUTE ON PROCEDURE shop.was TO late@'%'; GRANT SELECT ON shop.v TO late@'%'; GRANT UPDATE (a) ON shop.kept TO zz@'%';
		SET GLOBAL automatic_sp_privileges = 0; DROP PROCEDURE shop.was; DROP TABLE shop.gone; ALTER TABLE shop.kept DROP b;
		SET sql_mode = '`+guard.LoadMode+`'; CREATE DATABASE at_first; CREATE PROCEDURE at_first.plain() SELECT 1`)
	want := []string{"shop`.`gone` TO", "ON PROCEDURE `shop`.`was` TO", "shop`.`kept` TO `late`"}
	if from.family == server.MariaDB {
		// As a server has it that had the plugin: not every package of MariaDB brings one that
		// could be installed.
		from.Query(t, "", `INSERT INTO mysql.global_priv VALUES ('%', 'by_plugin', '{"access": 0, "plugin": "ed25519", "authentication_string": "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"}');
			FLUSH PRIVILEGES; GRANT SELECT ON shop.* TO by_plugin@'%'`)
	} else {
		from.Query(t, "", "ALTER USER app@'%' IDENTIFIED BY 'newer' RETAIN CURRENT PASSWORD")
	}
	var told []string
	var stream bytes.Buffer
	if err := from.source(t, Config{Warn: func(text string) { told = append(told, text) }}).Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	for _, what := range want {
		if all := strings.Join(told, "\n"); !strings.Contains(all, what) {
			t.Errorf("the dump does not name %s: %s", what, all)
		}
	}
	if from.family == server.MySQL {
		byClient.Query(t, "", "DROP DATABASE `odd ``db ünï`; DROP DATABASE shop; DROP SERVER elsewhere")
		byClient.client(t, "", stream.Bytes())
		natively.Query(t, "", "DROP USER partly@'%'; SET GLOBAL partial_revokes = OFF")
		want = append(want, "REVOKE SELECT ON `mysql`.* FROM `partly`")
	} else {
		want = append(want, "CREATE USER IF NOT EXISTS `by_plugin`", "GRANT SELECT ON `shop`.* TO `by_plugin`")
	}
	told = nil
	if err := natively.load(t, LoadConfig{Clean: true, Warn: func(text string) { told = append(told, text) }}, stream.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, what := range want {
		if all := strings.Join(told, "\n"); !strings.Contains(all, what) {
			t.Errorf("the restore does not name %s: %s", what, all)
		}
	}
	restored := []*testMySQL{natively}
	if from.family == server.MySQL {
		restored = append(restored, byClient)
	}
	for _, my := range restored {
		grants := func(my *testMySQL) []string {
			return slices.Sorted(slices.Values(lines(my.Query(t, "", "SHOW GRANTS FOR zz@'%'")))) // the servers have no order of their own
		}
		if diff := cmp.Diff(grants(from), grants(my)); diff != "" {
			t.Errorf("the last user has other privileges: %s", diff)
		}
		const modes = "SELECT routine_schema, routine_name, sql_mode FROM information_schema.routines WHERE routine_schema <> 'sys' ORDER BY 1, 2"
		if diff := cmp.Diff(from.Query(t, "", modes), my.Query(t, "", modes)); diff != "" {
			t.Errorf("programs were made in other modes: %s", diff)
		}
		if got := my.Query(t, "", "SHOW GRANTS FOR late@'%'"); !strings.Contains(got, "GRANT SELECT ON `shop`.`v`") {
			t.Errorf("the user who has lost privileges has %s", got)
		}
		if from.family == server.MariaDB {
			if got := my.Query(t, "", "SELECT COUNT(*) FROM mysql.user WHERE user = 'by_plugin'"); got != "0" {
				t.Error("the user whose plugin is not there can log in without it")
			}
			continue
		}
		for _, password := range []string{"secret", "newer"} {
			cmd := my.Command(my.Client, "--host=127.0.0.1", fmt.Sprintf("--port=%d", my.Port), "--protocol=TCP", "--user=app", "--password="+password, "--execute=SELECT 1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("app does not get in with the password %s: %s", password, out)
			}
		}
	}
}

// prepare sets what is no part of a dump: a setting, and the right to give the rights that are in
// it.
func (my *testMySQL) prepare(t *testing.T) {
	my.Query(t, "", "GRANT PROXY ON ''@'' TO root@127.0.0.1 WITH GRANT OPTION")
	if my.family == server.MySQL {
		my.Query(t, "", "SET GLOBAL partial_revokes = ON")
	}
}

// whole describes a server: what mysqldump says of its databases, and the server of its accounts.
func (my *testMySQL) whole(t *testing.T) string {
	t.Helper()
	all := []string{my.mysqldump(t, "--databases", "shop", "odd `db ünï", "empty")}
	hex, role := "", "'N'"
	if my.family == server.MySQL {
		hex = "SET print_identified_with_as_hex = 1; "
	} else {
		role = "is_role"
	}
	users := my.Query(t, "", "SELECT "+role+", QUOTE(user), QUOTE(host) FROM mysql.user WHERE user NOT IN ('mysql.sys', 'mysql.session', 'mysql.infoschema', 'mariadb.sys') ORDER BY user, host")
	for line := range strings.Lines(users) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		name := f[1]
		if f[0] == "N" {
			name += "@" + f[2]
			all = append(all, my.Query(t, "", hex+"SHOW CREATE USER "+name))
		}
		all = append(all, name+":", my.Query(t, "", "SHOW GRANTS FOR "+name))
	}
	all = append(all, my.Query(t, "", "SELECT * FROM mysql.servers"))
	if my.family == server.MariaDB {
		all = append(all, my.Query(t, "", "SELECT * FROM mysql.roles_mapping ORDER BY 1, 2, 3"))
	}
	return fmt.Sprint(strings.Join(all, "\n"))
}

// TestOddServer dumps and loads on a server whose defaults read quotes and backslashes in other
// ways, and over its socket.
func TestOddServer(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t, "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE", "--default-time-zone=+05:30"))
	my.address = Server{Socket: my.Socket, User: my.Superuser}
	// Half past two comes twice in this zone, at 0:30 and 1:30 of UTC.
	my.Query(t, "mysql", `INSERT INTO time_zone VALUES (9001, 'N'); INSERT INTO time_zone_name VALUES ('Test/Zone', 9001);
		INSERT INTO time_zone_transition_type VALUES (9001, 0, 3600, 0, 'CET'), (9001, 1, 7200, 1, 'CEST');
		INSERT INTO time_zone_transition VALUES (9001, 1711846800, 1), (9001, 1729990800, 0); SET GLOBAL time_zone = 'Test/Zone'`)
	computes := "SET sql_mode = ''; CREATE TABLE computes (id INT PRIMARY KEY, ts TIMESTAMP(3) NULL, d DATETIME NULL, h VARCHAR(30) AS (ts) STORED, v INT AS (HOUR(ts)) VIRTUAL, KEY (v), KEY (d), CHECK (ts = 0 OR HOUR(ts) > 1));"
	const rows = "INSERT INTO computes (id, ts, d) VALUES (6, '0000-00-00 00:00:00', '0000-00-00 00:00:00'), (1, '2024-07-01 03:00:00.25+00:00', '2024-07-01 03:00:00'), (2, NULL, NULL), (3, '2024-10-27 00:30:00+00:00', NULL), (4, '2024-10-27 01:30:00+00:00', NULL);"
	if my.family == server.MySQL {
		computes += "SET time_zone = 'Test/Zone';" + rows
	} else {
		computes += "SET time_zone = '+00:00', check_constraint_checks = 0;" + strings.ReplaceAll(rows, "+00:00", "") + "SET time_zone = 'Test/Zone'; ALTER TABLE computes FORCE, ALGORITHM = COPY"
	}
	// Days that are two in this zone are one in UTC.
	computes += `;
		CREATE TABLE days (id INT PRIMARY KEY, person INT, ts TIMESTAMP NULL, day DATE AS (DATE(ts)) STORED, next DATE AS (day + INTERVAL 1 DAY) STORED,
			UNIQUE KEY first (person, id), UNIQUE KEY daily (person, next), UNIQUE KEY last (id, person), KEY (ts));
		SET time_zone = 'Test/Zone'; INSERT INTO days (id, person, ts) VALUES (1, 1, '2024-07-02 23:30:00'), (2, 1, '2024-07-03 00:30:00'), (3, NULL, NULL)`
	for _, name := range []string{"kinds", "types"} {
		db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
		my.client(t, db, readFile(t, "testdata/database/"+name+".sql"))
		my.Query(t, db, computes)
		stream := my.dump(t, Config{Databases: []string{db}})
		my.client(t, byClient, stream)
		if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
			t.Fatal(err)
		}
		for _, restored := range []string{byClient, natively} {
			if again := my.dump(t, Config{Databases: []string{restored}}); !bytes.Equal(stream, again) {
				t.Errorf("%s: the dump of what was restored is another one:\n%s", name, cmp.Diff(lines(string(stream)), lines(string(again))))
			}
			// MariaDB 11.8 cannot open a table with this CHECK in a session that knows no zero
			// dates.
			const all = "SET sql_mode = ''; SELECT id, h, UNIX_TIMESTAMP(ts), v FROM computes FORCE INDEX (v) WHERE v >= 0 OR v IS NULL"
			if want, got := my.Query(t, db, all), my.Query(t, restored, all); got != want {
				t.Errorf("%s: of TIMESTAMPs was computed\n%s\nand is after a restore\n%s", name, want, got)
			}
		}
		// A server that does not know the zone is not begun with.
		other := testServer(t)
		target := other.CreateDB(t)
		if err := other.load(t, LoadConfig{Database: target}, stream); !errors.Is(err, load.ErrNoZone) || other.Query(t, target, "SHOW TABLES") != "" {
			t.Errorf("%s: where the zone is not known: %v", name, err)
		}
	}
}

package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// rehearse rehearses the load of a stream, and returns its obstacles as text.
func (my *testMySQL) rehearse(t *testing.T, cfg LoadConfig, stream []byte) (found dump.Rehearsal, obstacles string) {
	t.Helper()
	found, err := my.loader(t, cfg).Rehearse(t.Context(), bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	return found, fmt.Sprint(errors.Join(found.Obstacles...))
}

// A rehearsal says where a dump goes, what is in it, what stands in the way and what is missing
// there, and changes nothing. Where it finds no obstacle, the load begins.
func TestRehearse(t *testing.T) {
	my := testServer(t)
	from, to, full := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE `odd ``name` (a INT PRIMARY KEY, b TEXT); INSERT INTO `odd ``name` VALUES (1, 'x'), (2, 'y'); CREATE TABLE nothing (a INT) ENGINE=MyISAM; "+
		"CREATE VIEW v AS SELECT a FROM nothing; CREATE DEFINER = `some``body`@`10.%` SQL SECURITY INVOKER VIEW w AS SELECT 1; CREATE DEFINER = `some``body`@`10.%` TRIGGER tr BEFORE INSERT ON nothing FOR EACH ROW SET @a = 1")
	my.Query(t, full, "CREATE TABLE old (a INT); INSERT INTO old VALUES (7)")
	native, tool := my.dump(t, Config{Databases: []string{from}}), []byte(my.mysqldump(t, from))
	for name, stream := range map[string][]byte{"ours": native, "mysqldump's": tool} {
		found, obstacles := my.rehearse(t, LoadConfig{Database: to}, stream)
		if obstacles != "<nil>" {
			t.Errorf("%s: obstacles %s", name, obstacles)
		}
		if found.Target.Database != to || found.Target.Server == "" || found.From != found.To || !strings.HasPrefix(found.To, string(my.family)+" ") {
			t.Errorf("%s: it goes from %q to %q, into %+v", name, found.From, found.To, found.Target)
		}
		if diff := cmp.Diff([]string{"account `some``body`@`10.%`, who defines views or programs"}, found.Missing); diff != "" {
			t.Errorf("%s: missing (-want +got): %s", name, diff)
		}
		var tables []string
		for i, table := range found.Tables {
			tables = append(tables, fmt.Sprintf("%s %d %t", table.Name, table.Rows, found.Bytes[i] > 0))
		}
		slices.Sort(tables)
		want := []string{"`nothing` 0 false", "`odd ``name` 2 true"}
		if name != "ours" {
			want = []string{"`odd ``name` 2 false"} // it says nothing of bytes, nor of what has no rows
		}
		if diff := cmp.Diff(want, tables); diff != "" {
			t.Errorf("%s: tables (-want +got): %s", name, diff)
		}

		if _, obstacles := my.rehearse(t, LoadConfig{Database: full}, stream); !strings.Contains(obstacles, dump.ErrNotEmpty.Error()+": it has table old") {
			t.Errorf("%s: where something is: obstacles %s", name, obstacles)
		}
		found, obstacles = my.rehearse(t, LoadConfig{Database: full, Clean: true}, stream)
		if obstacles != "<nil>" || !slices.Equal(found.Target.Drops, []string{"everything in database " + full}) {
			t.Errorf("%s: with Clean: obstacles %s, it drops %q", name, obstacles, found.Target.Drops)
		}
		if _, obstacles := my.rehearse(t, LoadConfig{}, stream); !strings.HasSuffix(obstacles, ErrNoName.Error()) {
			t.Errorf("%s: without a name: obstacles %s", name, obstacles)
		}
		if _, obstacles := my.rehearse(t, LoadConfig{Database: "nowhere"}, stream); !strings.Contains(obstacles, "1049") {
			t.Errorf("%s: into what is not there: obstacles %s", name, obstacles)
		}
		if _, err := my.loader(t, LoadConfig{Database: to}).Rehearse(t.Context(), bytes.NewReader(stream[:len(stream)-30])); err == nil {
			t.Errorf("%s: a dump that is cut is rehearsed", name)
		}
	}
	if got := my.Query(t, full, "SELECT a FROM old"); got != "7" || my.Query(t, to, "SHOW TABLES") != "" {
		t.Errorf("a rehearsal has changed its target")
	}
	account := my.user(t, "SELECT, LOCK TABLES ON "+quote.Name(full)+".*")
	if _, obstacles := my.rehearse(t, LoadConfig{Server: account, Database: full, Clean: true, NoBinlog: true}, native); !strings.Contains(obstacles, "GRANT DROP ON `"+full+"`.*") || !strings.Contains(obstacles, "binary log") {
		t.Errorf("without rights: obstacles %s", obstacles)
	}
}

// What a dump names and the server lacks is missing, and what leads elsewhere, is of another server
// or too long is in the way, all of it at once.
func TestRehearseWhatIsMissing(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	sql := "SET character_set_client = utf9, collation_connection = latin1_swedish_ci;\n" +
		"CREATE TABLE `t` (\n  `a` varchar(10) CHARACTER SET latin1 COLLATE latin1_of_tomorrow DEFAULT 'ENGINE=NONE',\n  `COLLATE nothing` int\n) ENGINE=Tomorrow DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin COMMENT='COLLATE x';\n" +
		"INSERT INTO `t` (`a`) VALUES\n('" + strings.Repeat("x", 2<<20) + "');\n"
	packet := my.Query(t, "", "SELECT @@GLOBAL.max_allowed_packet")
	my.Query(t, "", "SET GLOBAL max_allowed_packet = 1048576")
	defer my.Query(t, "", "SET GLOBAL max_allowed_packet = "+packet)
	other := map[server.Family]string{server.MySQL: "MariaDB", server.MariaDB: "MySQL"}[my.family]
	stream := my.written(t, dump.Manifest{tableOf("`t`", "('"+strings.Repeat("x", 2<<20)+"')")}, sql)
	stream = bytes.Replace(stream, []byte(note.Server+string(my.family)), []byte(note.Server+other), 1) // the trailer's hash is of what was written
	if _, err := my.loader(t, LoadConfig{Database: db}).Rehearse(t.Context(), bytes.NewReader(stream)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a changed dump: %v", err)
	}
	stream = my.written(t, dump.Manifest{tableOf("`t`", "('"+strings.Repeat("x", 2<<20)+"')")}, sql+"DROP TABLE `mysql`.`user`;\n")
	found, obstacles := my.rehearse(t, LoadConfig{Database: db}, stream)
	if diff := cmp.Diff([]string{"engine Tomorrow, in whose place its tables get the server's default one", "character set utf9", "collation latin1_of_tomorrow"}, found.Missing); diff != "" {
		t.Errorf("missing (-want +got): %s", diff)
	}
	for _, part := range []string{"DROP TABLE `mysql`.`user`: " + dump.ErrElsewhere.Error(), "it takes a max_allowed_packet of"} {
		if strings.Count(obstacles, part) != 1 {
			t.Errorf("obstacles %s, want %s", obstacles, part)
		}
	}
	several := my.several(t, nil, "CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED WITH 'of_tomorrow' AS '*1';\nCREATE USER IF NOT EXISTS `b`@`%` IDENTIFIED VIA mysql_native_password USING '*1';\n"+
		"CREATE DEFINER=`a`@`%` VIEW `v` AS SELECT 1;\n")
	found, obstacles = my.rehearse(t, LoadConfig{}, several)
	if obstacles != "<nil>" || !slices.Contains(found.Missing, "plugin of_tomorrow") || strings.Contains(strings.Join(found.Missing, " "), "account") {
		t.Errorf("of several: obstacles %s, missing %q", obstacles, found.Missing)
	}
}

// A server that may come up is worth waiting for, one that refuses is not.
func TestReach(t *testing.T) {
	my := testServer(t)
	listen := func(then func(net.Conn)) Server {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				then(c)
			}
		}()
		return Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, ConnectTimeout: 300 * time.Millisecond}
	}
	closed := listen(func(net.Conn) {})
	closed.Port = freePort(t)
	denied := my.address
	denied.User, denied.Password = "nobody", "wrong"
	for name, c := range map[string]struct {
		at    Server
		ready bool // or never
		waits bool
	}{
		"a server":             {my.address, true, false},
		"nobody":               {closed, false, true},
		"no such name":         {Server{Host: "nobody.invalid", ConnectTimeout: 5 * time.Second}, false, true},
		"no socket":            {Server{Socket: t.TempDir() + "/none"}, false, true},
		"one who says nothing": {listen(func(net.Conn) {}), false, true},
		"one who ends at once": {listen(func(c net.Conn) { c.Close() }), false, true},
		"one who refuses":      {denied, false, false},
	} {
		err := my.loader(t, LoadConfig{Server: c.at}).Reach(t.Context())
		var later *dump.NotReadyError
		if (err == nil) != c.ready || errors.As(err, &later) != c.waits {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Log(name, err)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// A rehearsal of a part is of what would be loaded of it, and looks for that alone.
func TestRehearseOfAPart(t *testing.T) {
	my := testServer(t)
	one, two, to := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, two} {
		my.Query(t, db, "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1), (2); CREATE TABLE b (id INT PRIMARY KEY) COLLATE latin1_bin; INSERT INTO b VALUES (1)")
	}
	my.Query(t, to, "CREATE TABLE b (old INT)")
	stream := my.dump(t, Config{Databases: []string{one, two}})
	part := func(tables ...string) dump.Choice { return dump.Choice{FromDatabase: one, Tables: tables} }
	found, obstacles := my.rehearse(t, LoadConfig{Database: to, Part: part("a")}, stream)
	if obstacles != "<nil>" || len(found.Tables) != 1 || found.Tables[0].Name != "`a`" || found.Tables[0].Rows != 2 || found.Bytes[0] == 0 || found.Target.Database != to {
		t.Errorf("obstacles %s, found %+v", obstacles, found)
	}
	if found, obstacles = my.rehearse(t, LoadConfig{Database: to, Part: part("b")}, stream); !strings.Contains(obstacles, dump.ErrNotEmpty.Error()) || !strings.Contains(obstacles, "table "+to+".b") {
		t.Errorf("of a table that is there: obstacles %s", obstacles)
	}
	if found, obstacles = my.rehearse(t, LoadConfig{Database: to, Clean: true, Part: part("b")}, stream); obstacles != "<nil>" || !slices.Equal(found.Target.Drops, []string{"table " + to + ".b"}) {
		t.Errorf("of a table that is dropped: obstacles %s, drops %q", obstacles, found.Target.Drops)
	}
	if found, obstacles = my.rehearse(t, LoadConfig{Database: to, Clean: true, Part: part("nothing")}, stream); len(found.Obstacles) != 1 || !errors.Is(found.Obstacles[0], ErrNothingFits) {
		t.Errorf("of a table that the dump has not: obstacles %s", obstacles)
	}
}

// A part goes on behind what the server refuses as a whole dump does.
func TestPartGoesOn(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	row := func(i int) string { return fmt.Sprintf("(%d,'x')", i/2) }
	sql := fmt.Sprintf("-- %s%q\nCREATE DATABASE IF NOT EXISTS `%s`;\nUSE `%[2]s`;\n", note.Database, from, from) + spreadRows("a", 20, row) + spreadRows("b", 20, row)
	a, b := spreadTable("a", 20, row), spreadTable("b", 20, row)
	a.Name, b.Name = "`"+from+"`."+a.Name, "`"+from+"`."+b.Name
	stream := my.several(t, dump.Manifest{a, b}, sql)
	told, err := my.goOn(t, LoadConfig{Database: to, Part: dump.Choice{FromDatabase: from, Tables: []string{"b"}}}, stream)
	var incomplete *dump.IncompleteError
	if !errors.As(err, &incomplete) || incomplete.Refused != 10 || !slices.Equal(incomplete.Missing, []dump.Table{{Name: "`b`", Rows: 10}}) {
		t.Errorf("error %v, told %q", err, told)
	}
	if got := my.Query(t, to, "SHOW TABLES; SELECT COUNT(*) FROM b"); got != "b\n10" {
		t.Errorf("there is %q", got)
	}
}

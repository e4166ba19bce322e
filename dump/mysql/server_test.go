package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if err := natively.load(t, LoadConfig{}, stream); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "shop") {
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
}

// prepare sets what is no part of a dump: a setting, and the right to give the
// rights that are in it.
func (my *testMySQL) prepare(t *testing.T) {
	my.Query(t, "", "GRANT PROXY ON ''@'' TO root@127.0.0.1 WITH GRANT OPTION")
	if my.family == familyMySQL {
		my.Query(t, "", "SET GLOBAL partial_revokes = ON")
	}
}

// whole describes a server: what mysqldump says of its databases, and the server of its accounts.
func (my *testMySQL) whole(t *testing.T) string {
	t.Helper()
	all := []string{my.mysqldump(t, "--databases", "shop", "odd `db ünï", "empty")}
	hex, role := "", "'N'"
	if my.family == familyMySQL {
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
	if my.family == familyMariaDB {
		all = append(all, my.Query(t, "", "SELECT * FROM mysql.roles_mapping ORDER BY 1, 2, 3"))
	}
	return fmt.Sprint(strings.Join(all, "\n"))
}

// TestOddServer dumps and loads on a server whose defaults read quotes and
// backslashes in other ways, and over its socket.
func TestOddServer(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t, "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE", "--default-time-zone=+05:30"))
	my.address = Server{Socket: my.Socket, User: my.Superuser}
	for _, name := range []string{"kinds", "types"} {
		db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
		my.client(t, db, readFile(t, "testdata/database/"+name+".sql"))
		stream := my.dump(t, Config{Databases: []string{db}})
		my.client(t, byClient, stream)
		if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
			t.Fatal(err)
		}
		for _, restored := range []string{byClient, natively} {
			if again := my.dump(t, Config{Databases: []string{restored}}); !bytes.Equal(stream, again) {
				t.Errorf("%s: the dump of what was restored is another one:\n%s", name, cmp.Diff(lines(string(stream)), lines(string(again))))
			}
		}
	}
}

package mysql

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

const drilled = `CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(10,2) NOT NULL, note TEXT);
	INSERT INTO orders VALUES (1, 1.5, 'zäh 1'), (2, 3, 'zäh 2'), (3, 4.5, NULL);
	CREATE TABLE ` + "`t``x y`" + ` (d DOUBLE, b BLOB, j JSON); INSERT INTO ` + "`t``x y`" + ` VALUES (0.1 + 0.2, x'deadbeef', '{"a": 1}'), (NULL, '', NULL);
	CREATE TABLE nothing (id INT);
	CREATE VIEW totals AS SELECT SUM(total) AS total FROM orders;
	CREATE FUNCTION spoil() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM orders; RETURN 1; END`

func TestDrills(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.trustCreators(t)
	my.client(t, db, []byte("DELIMITER //\n"+strings.Replace(drilled, "CREATE FUNCTION", "//\nCREATE FUNCTION", 1)+"//"))
	least := my.user(t, append(my.others(t), "ALL PRIVILEGES ON `drill\\_%`.*")...)
	dumptest.RunDrills(t, dumptest.Drills{
		Stream:   my.dump(t, Config{Databases: []string{db}}),
		TablesOf: TablesOf,
		By:       map[string]dumptest.Driller{"all": my.driller(my.address), "least": my.driller(least)},
		Prefixes: []string{"drill_", "a\"b'c%_`ä\\"},
		Databases: func(t *testing.T) []string {
			return strings.Split(my.Query(t, "", "SELECT schema_name FROM information_schema.schemata ORDER BY 1"), "\n")
		},
		Make: func(t *testing.T, name string) { my.Query(t, "", "CREATE DATABASE "+quote.Name(name)) },
		Gone: func(t *testing.T, name string) { my.Query(t, "", "DROP DATABASE "+quote.Name(name)) },
		Kill: func(dump.Scratch, string) {}, // who is killed and who is closed is the same to the server
		Answers: map[string]string{
			"SELECT COUNT(*) = 3 FROM orders":                                   "1",
			"SELECT total FROM totals -- of all":                                "9.00",
			"SELECT note, id FROM orders WHERE id < 3 ORDER BY id DESC LIMIT 3": "zäh 2",
			"(SELECT NULL);": "NULL",
			"SELECT * FROM nothing UNION ALL SELECT 3": "3",
			"SELECT DATABASE() LIKE '%\\_%'":           "1",
		},
		Refused: []string{
			"SELECT", "SELECT nothing FROM nobody", "SELECT id FROM nothing", "SELECT 1; SELECT 2", "DELETE FROM orders", "SELECT spoil()", "COMMIT",
			"SELECT 1 INTO @x", "SELECT 1 INTO OUTFILE 'x'", "SELECT REPEAT('x', 65537)", "SELECT REPEAT('x', 3000000)", "", "DROP TABLE orders",
			"SET GLOBAL max_connections = 1", "SELECT 1 /*! INTO @x */",
		},
		Sleeps: "SELECT SLEEP(60)",
		Unchanged: func(t *testing.T, name string) error {
			if n := my.Query(t, name, "SELECT COUNT(*) FROM orders"); n != "3" {
				return fmt.Errorf("there are %s orders", n)
			}
			return nil
		},
	})
}

// others are the rights to make what has another's name for its definer, as functions and views do,
// and to read it back.
func (my *testMySQL) others(t *testing.T) []string {
	c, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	switch {
	case c.IsMariaDB():
		return []string{"SET USER ON *.*", "SELECT ON mysql.proc"}
	case c.AtLeast(server.MySQL, server.Version{8, 2, 0}):
		return []string{"SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER, SYSTEM_USER, SHOW_ROUTINE ON *.*"}
	}
	return []string{"SET_USER_ID, SYSTEM_USER, SHOW_ROUTINE ON *.*"}
}

// driller makes drills as an account.
func (my *testMySQL) driller(account Server) dumptest.Driller {
	return dumptest.Driller{
		Scratch: func(t *testing.T, prefix string) dump.Scratch {
			s, err := NewScratch(ScratchConfig{Server: account, Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Loader: func(t *testing.T, db string) dump.Loader {
			return my.loader(t, LoadConfig{Server: account, Database: db})
		},
		Source: func(t *testing.T, db string) dump.Source {
			return my.source(t, Config{Server: account, Databases: []string{db}})
		},
	}
}

// A copy is dropped though a session of a drill that was killed is still in the middle of something
// there.
func TestDrillIsDropped(t *testing.T) {
	my := testServer(t)
	s := my.driller(my.address).Scratch(t, "drill_")
	defer s.Close()
	name, err := s.Create(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	stays, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	for _, sql := range []string{"USE " + quote.Name(name), "CREATE TABLE t (id INT)", "START TRANSACTION", "SELECT * FROM t FOR UPDATE"} {
		if err := stays.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if err := s.Drop(t.Context(), name); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := stays.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the session is still there")
	}
}

func TestListDatabases(t *testing.T) {
	my := testServer(t)
	one := my.CreateDB(t)
	drill := dump.NewScratchName("drill_", time.Now())
	my.Query(t, "", "CREATE DATABASE "+drill)
	t.Cleanup(func() { my.Query(t, "", "DROP DATABASE "+drill) })
	names, err := my.source(t, Config{}).ListDatabases(t.Context())
	if err != nil || !slices.Contains(names, one) || slices.Contains(names, drill) || slices.ContainsFunc(names, server.Info{}.IsSystemSchema) || !slices.IsSorted(names) {
		t.Errorf("%q, %v", names, err)
	}
	if stream := my.dump(t, Config{AllowEmpty: true}); !bytes.Contains(stream, []byte("CREATE DATABASE IF NOT EXISTS "+quote.Name(one))) || bytes.Contains(stream, []byte(drill)) {
		t.Error("a dump of all databases has not those of others, or has a drill's")
	}
	if names, err := my.source(t, Config{Databases: []string{"b", one, "a"}}).ListDatabases(t.Context()); err != nil || !slices.Equal(names, []string{"a", "b", one}) {
		t.Errorf("%q, %v", names, err)
	}
}

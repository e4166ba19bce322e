package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// What a dump of mysqldump's says for itself to drop is no part of it: neither a database, in which
// a table stays that was excluded, nor a table's trigger.
func TestPartDropsNothingByItself(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TRIGGER a_set BEFORE INSERT ON a FOR EACH ROW SET @x = 1; "+
		"CREATE TABLE b (id INT PRIMARY KEY); INSERT INTO b VALUES (1), (2); CREATE VIEW v AS SELECT id FROM b; CREATE VIEW w AS SELECT id FROM v")
	stream := []byte(my.mysqldump(t, "--add-drop-database", "--add-drop-trigger", "--databases", db))
	for _, clean := range []bool{false, true} {
		my.Query(t, db, "UPDATE a SET id = 77; DROP VIEW IF EXISTS v, w")
		if !clean {
			my.Query(t, db, "DROP TABLE b")
		}
		cfg := LoadConfig{Clean: clean, Part: dump.Choice{ExcludeTables: []string{"a"}}}
		if _, _, err := my.loadInto(t, cfg, stream); err != nil {
			t.Fatal(err)
		}
		const all = "SELECT (SELECT id FROM a), (SELECT COUNT(*) FROM w), (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE())"
		if got := my.Query(t, db, all); got != "77\t2\t1" {
			t.Errorf("clean %v: the living table, the view and triggers are %q", clean, got)
		}
	}
}

// A part of a dump of several databases may begin with any of its tables.
func TestPartBehindOtherTables(t *testing.T) {
	my := testServer(t)
	for _, args := range [][]string{nil, {"--no-autocommit"}} {
		db := my.CreateDB(t)
		my.Query(t, db, "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b (id INT PRIMARY KEY); INSERT INTO b VALUES (1), (2)")
		text := my.mysqldump(t, append(args, "--databases", db)...)
		if args != nil { // which older ones write so
			text = strings.ReplaceAll(text, "\nLOCK TABLES ", "\nset autocommit=0;\nLOCK TABLES ")
		}
		stream := []byte(text)
		my.Query(t, db, "DROP TABLE b")
		if err := my.load(t, LoadConfig{Part: dump.Choice{Tables: []string{db + ".b"}}}, stream); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		my.Query(t, db, "DELETE FROM b")
		if err := my.load(t, LoadConfig{Part: dump.Choice{DataOnly: true, Tables: []string{db + ".b"}}}, stream); err != nil {
			t.Fatalf("%q, rows alone: %v", args, err)
		}
		if got := my.Query(t, db, "SELECT COUNT(*) FROM b"); got != "2" {
			t.Errorf("%q: %s rows", args, got)
		}
	}
}

// To a server that takes names in any letters for one, a table that was excluded is so in any of
// them, and one that is chosen is in the way in any.
func TestPartOfFoldedNames(t *testing.T) {
	if testServer(t).family != server.MariaDB {
		t.Skip("MySQL is told when it makes its data")
	}
	from := testServer(t)
	my := newTestMySQL(servers.MariaDB(t, "--lower-case-table-names=1"))
	db := from.CreateDB(t)
	from.Query(t, db, "CREATE TABLE Orders (id INT PRIMARY KEY); INSERT INTO Orders VALUES (1); CREATE TABLE Items (id INT PRIMARY KEY); INSERT INTO Items VALUES (1)")
	to := my.CreateDB(t)
	fill := "DROP TABLE IF EXISTS orders, items; CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (77); CREATE TABLE items (id INT PRIMARY KEY); INSERT INTO items VALUES (77)"
	for name, stream := range map[string][]byte{"own": from.dump(t, Config{Databases: []string{db}}), "mysqldump": []byte(from.mysqldump(t, db))} {
		for _, tt := range []struct {
			cfg    LoadConfig
			unread bool
			is     error
			want   string
		}{
			{LoadConfig{Clean: true, Part: dump.Choice{ExcludeTables: []string{"Orders"}}}, false, nil, "77\t1"},
			{LoadConfig{Clean: true, Part: dump.Choice{ExcludeTables: []string{"Orders"}}}, true, nil, "77\t1"},
			{LoadConfig{Clean: true, Part: dump.Choice{Tables: []string{"Orders"}}}, false, nil, "1\t77"},
			{LoadConfig{Part: dump.Choice{Tables: []string{"Orders"}}}, false, dump.ErrNotEmpty, "77\t77"},
			{LoadConfig{Part: dump.Choice{Tables: []string{"Orders"}}}, true, dump.ErrNotEmpty, "77\t77"},
		} {
			my.Query(t, to, fill)
			tt.cfg.Database = to
			load := func() error { return my.load(t, tt.cfg, stream) }
			if !tt.unread {
				load = func() error { _, _, err := my.loadInto(t, tt.cfg, stream); return err }
			}
			if err := load(); !errors.Is(err, tt.is) {
				t.Errorf("%s, %+v: error %v, want %v", name, tt.cfg.Part, err, tt.is)
			}
			if got := my.Query(t, to, "SELECT (SELECT MIN(id) FROM orders), (SELECT MIN(id) FROM items)"); got != tt.want {
				t.Errorf("%s, %+v, unread %v: the tables hold %q, want %q", name, tt.cfg.Part, tt.unread, got, tt.want)
			}
		}
	}
}

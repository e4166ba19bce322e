package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// Rows alone go into tables that may have rows, and the server looks whether it has them, on
// whatever number of connections.
func TestRowsAloneAreChecked(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE) ENGINE=InnoDB; INSERT INTO t VALUES (1, 1), (2, 2)")
	streams := map[string][]byte{"own": my.dump(t, Config{Databases: []string{db}}), "mysqldump": []byte(my.mysqldump(t, db))}
	my.Query(t, db, "CREATE TABLE seen (checked INT); CREATE TRIGGER look BEFORE INSERT ON t FOR EACH ROW INSERT INTO seen VALUES (@@unique_checks)")
	for name, stream := range streams {
		for _, jobs := range []int{1, 4} {
			my.Query(t, db, "DELETE FROM t; DELETE FROM seen")
			cfg := LoadConfig{Database: db, Jobs: jobs, Part: dump.Choice{DataOnly: true}}
			if err := my.load(t, cfg, stream); err != nil {
				t.Fatal(err)
			}
			if got := my.Query(t, db, "SELECT SUM(checked), COUNT(*) FROM seen"); got != "2\t2" {
				t.Errorf("%s, %d jobs: of the rows checked, and rows: %s", name, jobs, got)
			}
			my.Query(t, db, "DELETE FROM t; INSERT INTO t VALUES (3, 2)")
			if err := my.load(t, cfg, stream); !server.IsError(err, 1062) {
				t.Errorf("%s, %d jobs: a value that is there: %v", name, jobs, err)
			}
		}
	}
}

// Nothing checks foreign keys while rows alone come, and those that refer to nothing then are
// named.
func TestRowsAloneWithoutWhatTheyReferTo(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	const made = "CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b)) ENGINE=InnoDB; CREATE TABLE child (id INT PRIMARY KEY, a INT, b INT, up INT, " +
		"CONSTRAINT of_parent FOREIGN KEY (a, b) REFERENCES parent (a, b), CONSTRAINT of_itself FOREIGN KEY (up) REFERENCES child (id)) ENGINE=InnoDB; "
	my.Query(t, from, made+"INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (1, 1, 1, NULL), (2, NULL, 7, 1), (3, 2, 2, 1)")
	other := my.CreateDB(t)
	for name, of := range map[string]struct {
		stream []byte
		part   dump.Choice
	}{
		"own":            {my.dump(t, Config{Databases: []string{from}}), dump.Choice{DataOnly: true}},
		"one of several": {my.dump(t, Config{Databases: []string{from, other}}), dump.Choice{DataOnly: true, FromDatabase: from}},
		"mysqldump":      {[]byte(my.mysqldump(t, from)), dump.Choice{DataOnly: true}},
	} {
		my.Query(t, "", "DROP DATABASE "+to+"; CREATE DATABASE "+to)
		my.Query(t, to, made+"CREATE TABLE beside (a INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES beside (a)); SET foreign_key_checks = 0; INSERT INTO beside VALUES (1, 5)")
		warn, told := warned()
		if err := my.load(t, LoadConfig{Database: to, Part: of.part, Warn: warn}, of.stream); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if told() != "" {
			t.Errorf("%s: all that is loaded is there, and it warned %q", name, told())
		}
		my.Query(t, to, "SET foreign_key_checks = 0; DELETE FROM child; DELETE FROM parent")
		of.part.Tables = []string{"child"}
		warn, told = warned()
		if err := my.load(t, LoadConfig{Database: to, Part: of.part, Warn: warn}, of.stream); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := "by these foreign keys: " + to + ".child (of_parent)"; !strings.HasSuffix(told(), want) {
			t.Errorf("%s: it warned %q, want %q", name, told(), want)
		}
	}
}

// What a table of MyISAM's held before is not taken for rows of a statement that was refused.
func TestRowsAloneGoOnInMyISAM(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO t VALUES (1), (2), (3)")
	for name, stream := range map[string][]byte{"own": my.dump(t, Config{Databases: []string{from}}), "mysqldump": []byte(my.mysqldump(t, "--extended-insert", from))} {
		my.Query(t, to, "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO t VALUES (2), (11), (12), (13), (14), (15)")
		told, err := my.goOn(t, LoadConfig{Database: to, Part: dump.Choice{DataOnly: true}}, stream)
		var incomplete *dump.IncompleteError
		if !errors.As(err, &incomplete) {
			t.Fatalf("%s: error %v, told %q", name, err, told)
		}
		if diff := cmp.Diff([]dump.Table{{Name: "`t`", Rows: 2}}, incomplete.Missing); diff != "" {
			t.Errorf("%s: missing (-want +got): %s", name, diff)
		}
	}
}

// A part of a dump of all databases, rows alone or not, changes no accounts.
func TestPartWithoutAccounts(t *testing.T) {
	if testServer(t).family != server.MariaDB {
		t.Skip("MySQL's tables of accounts are not dumped as tables")
	}
	from, my := newTestMySQL(servers.MariaDB(t)), testServer(t)
	db := my.CreateDB(t)
	from.Query(t, "", "CREATE DATABASE "+db+"; INSERT INTO mysql.db (host, db, user) VALUES ('%', 'granted', 'someone'); CREATE TABLE "+db+".t (id INT PRIMARY KEY); INSERT INTO "+db+".t VALUES (1)")
	stream := []byte(from.mysqldump(t, "--all-databases"))
	for _, part := range []dump.Choice{{ExcludeTables: []string{db + ".other"}}, {DataOnly: true}} {
		if err := my.load(t, LoadConfig{Part: part}, stream); err != nil {
			t.Errorf("%+v: %v", part, err)
		}
		if got := my.Query(t, db, "SELECT (SELECT COUNT(*) FROM t), (SELECT COUNT(*) FROM mysql.db WHERE db = 'granted')"); got != "1\t0" {
			t.Errorf("%+v: rows, and grants: %s", part, got)
		}
		my.Query(t, db, "DELETE FROM t")
	}
}

// A file of mysqldump's can be loaded into a server without InnoDB. This program's dumps set what
// only InnoDB has.
func TestLoadWithoutInnoDB(t *testing.T) {
	if testServer(t).family != server.MariaDB {
		t.Skip("MySQL cannot be without it")
	}
	from := testServer(t)
	my := newTestMySQL(servers.MariaDB(t, "--skip-innodb", "--default-storage-engine=Aria"))
	db, to := from.CreateDB(t), my.CreateDB(t)
	from.Query(t, db, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=Aria; INSERT INTO t VALUES (1)")
	if err := my.load(t, LoadConfig{Database: to}, []byte(from.mysqldump(t, db))); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, to, "SELECT COUNT(*) FROM t"); got != "1" {
		t.Errorf("%s rows", got)
	}
}

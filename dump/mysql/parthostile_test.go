package mysql

import (
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// Foreign keys that a dump adds behind all tables stay if what they refer to comes, or is there.
func TestKeysAddedToPart(t *testing.T) {
	my := testServer(t)
	other := my.CreateDB(t)
	my.Query(t, other, "CREATE TABLE far (id INT PRIMARY KEY)")
	sql := "CREATE TABLE `a` (`id` INT PRIMARY KEY);\nCREATE TABLE `b` (`id` INT PRIMARY KEY);\nCREATE TABLE `c` (`id` INT PRIMARY KEY, `x` INT, `y` INT, `z` INT, KEY `x` (`x`), KEY `y` (`y`), KEY `z` (`z`));\n" +
		"CREATE TABLE `d` (`id` INT PRIMARY KEY, `x` INT, KEY `x` (`x`));\n" +
		"ALTER TABLE `c`\n  ADD CONSTRAINT `to_a` FOREIGN KEY (`x`) REFERENCES `a` (`id`),\n  ADD CONSTRAINT `to_b` FOREIGN KEY (`y`) REFERENCES `b` (`id`),\n  ADD CONSTRAINT `to_far` FOREIGN KEY (`z`) REFERENCES `" + other + "`.`far` (`id`);\n" +
		"ALTER TABLE `d`\n  ADD CONSTRAINT `d_to_b` FOREIGN KEY (`x`) REFERENCES `b` (`id`);\n"
	stream := my.written(t, nil, "SET foreign_key_checks = 0;\n"+sql)
	for _, tt := range []struct {
		tables []string
		fill   string
		want   string
		left   int
	}{
		{[]string{"a", "c"}, "", "to_a to_far", 1},
		{[]string{"c", "d"}, "CREATE TABLE b (id INT PRIMARY KEY)", "d_to_b to_b to_far", 1},
		{[]string{"d"}, "", "", 1},
		{[]string{"*"}, "", "d_to_b to_a to_b to_far", 0},
	} {
		to := my.CreateDB(t)
		if tt.fill != "" {
			my.Query(t, to, tt.fill)
		}
		warn, told := warned()
		if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{Tables: tt.tables}, Warn: warn}, stream); err != nil {
			t.Fatal(err)
		}
		got := my.Query(t, to, "SELECT GROUP_CONCAT(constraint_name ORDER BY 1 SEPARATOR ' ') FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()")
		if got != tt.want && (tt.want != "" || got != "NULL") {
			t.Errorf("%q: the keys %s, want %s; it warned %s", tt.tables, got, tt.want, told())
		}
		if left := strings.Count(told(), "a foreign key is left out"); left != tt.left {
			t.Errorf("%q: of %d foreign keys it is told that they are left out, not of %d: %s", tt.tables, left, tt.left, told())
		}
	}
}

// A part of a dump leads nowhere else than all of it may.
func TestPartsElsewhere(t *testing.T) {
	my := testServer(t)
	one, two, three, to := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, two, three} {
		my.Query(t, db, "CREATE TABLE t (mark VARCHAR(20) PRIMARY KEY); INSERT INTO t VALUES ('old'); CREATE TABLE kept (mark INT)")
	}
	admin := my.session(t)
	for name, tt := range map[string]struct {
		stream []byte
		cfg    LoadConfig
		is     error // nil: it does nothing
	}{
		"a table of another database": {
			my.written(t, nil, "CREATE TABLE `"+one+"`.`new` (`a` INT);\n"),
			LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"new"}}},
			dump.ErrElsewhere,
		},
		"rows of another database": {
			my.headed(t, note.Several, "-- "+note.Database+"\""+one+"\"\n-- "+note.Database+"\""+two+"\"\nUSE `"+one+"`;\nINSERT INTO `"+two+"`.`t` VALUES ('new');\n"),
			LoadConfig{Database: to, Part: dump.Choice{FromDatabase: one}},
			dump.ErrElsewhere,
		},
		"a table of another database of several": {
			my.headed(t, note.Several, "-- "+note.Database+"\""+one+"\"\n-- "+note.Database+"\""+two+"\"\nUSE `"+one+"`;\nCREATE TABLE `"+two+"`.`new` (`a` INT);\n"),
			LoadConfig{Part: dump.Choice{Tables: []string{one + ".new"}}},
			dump.ErrElsewhere,
		},
		"what is no part of a table": {
			my.written(t, nil, "CREATE TABLE `new` (`a` INT);\nDROP DATABASE `"+one+"`;\nDELETE FROM `t`;\nDROP TABLE `t`;\nALTER DATABASE CHARACTER SET latin7;\nCREATE USER x;\nGRANT ALL ON *.* TO x;\nSET GLOBAL max_connections = 1;\n"),
			LoadConfig{Database: three, Part: dump.Choice{Tables: []string{"new"}}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			my.Query(t, three, "DROP TABLE IF EXISTS new")
			if _, _, err := my.loadInto(t, tt.cfg, tt.stream); !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
			for _, db := range []string{one, two, three} {
				if got := marks(t, admin, db); got != "old" {
					t.Errorf("database %s holds %q", db, got)
				}
				if got := my.Query(t, "", "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+db+"' AND table_name = 'new'"); (got == "1") != (db == three && tt.is == nil) {
					t.Errorf("database %s has %s new tables", db, got)
				}
			}
		})
	}
	if got := my.Query(t, "", "SELECT @@GLOBAL.max_connections > 1, COUNT(*) FROM mysql.user WHERE user = 'x'"); got != "1\t0" {
		t.Errorf("the server was changed: %s", got)
	}
}

// An account with rights on the one database alone brings tables back into it.
func TestPartByItsOwner(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db := my.CreateDB(t)
	owner := my.user(t, "ALL ON "+db+".*")
	my.Query(t, db, strings.ReplaceAll(shop, "CREATE TRIGGER", "CREATE DEFINER = '"+owner.User+"'@'127.0.0.1' TRIGGER"))
	stream := my.dump(t, Config{Databases: []string{db}})
	my.Query(t, db, "DELETE FROM items; DELETE FROM orders")
	cfg := LoadConfig{Server: owner, Database: db, Clean: true, Part: dump.Choice{Tables: []string{"orders", "items"}}}
	if _, _, err := my.loadInto(t, cfg, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, db, "SELECT COUNT(*) FROM orders, items"); got != "4" {
		t.Errorf("%s rows", got)
	}
	less := my.user(t, "SELECT, INSERT, CREATE, TRIGGER ON "+db+".*")
	cfg.Server = less
	if said, _, err := my.loadInto(t, cfg, stream); !errors.Is(err, ErrUndroppable) || errors.As(err, new(*dump.PartialError)) || len(said) > 0 {
		t.Errorf("without the right to drop: %v", err)
	}
}

// Rows alone go into each of several databases.
func TestRowsOfSeveralDatabases(t *testing.T) {
	my := testServer(t)
	one, two := my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, two} {
		my.Query(t, db, "CREATE TABLE t (mark VARCHAR(70) PRIMARY KEY); INSERT INTO t VALUES ('"+db+"')")
	}
	stream := my.dump(t, Config{Databases: []string{one, two}})
	for _, tables := range [][]string{nil, {two + ".t"}} {
		my.Query(t, "", "DELETE FROM "+one+".t; DELETE FROM "+two+".t")
		if _, _, err := my.loadInto(t, LoadConfig{Part: dump.Choice{DataOnly: true, Tables: tables}}, stream); err != nil {
			t.Fatal(err)
		}
		want := one + "\t" + two
		if tables != nil {
			want = "NULL\t" + two
		}
		if got := my.Query(t, "", "SELECT (SELECT mark FROM "+one+".t), (SELECT mark FROM "+two+".t)"); got != want {
			t.Errorf("%q: the tables hold %q, want %q", tables, got, want)
		}
	}
}

// The server's own tables, which mysqldump dumps with all databases, come with no part of a dump.
func TestPartsBringNoAccounts(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	grant := "INSERT INTO `db` (`Host`, `Db`, `User`) VALUES ('%','" + db + "','brought');\n"
	stream := []byte("-- MariaDB dump 10.19  Distrib 10.11.14-MariaDB, for debian-linux-gnu (x86_64)\n--\n-- Host: localhost    Database: \n\n" +
		"USE `mysql`;\nCREATE TABLE `made_by_a_dump` (`a` INT);\n" + grant +
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `" + db + "`;\nUSE `" + db + "`;\nCREATE TABLE IF NOT EXISTS `t` (`mark` INT PRIMARY KEY);\nINSERT INTO `t` VALUES (1);\n-- Dump completed\n")
	for _, part := range []dump.Choice{{SchemaOnly: true}, {DataOnly: true}, {ExcludeTables: []string{"other"}}} {
		my.Query(t, db, "CREATE TABLE IF NOT EXISTS t (mark INT PRIMARY KEY); DELETE FROM t")
		if !part.DataOnly {
			my.Query(t, db, "DROP TABLE t")
		}
		if part.SchemaOnly {
			my.Query(t, "", "DROP DATABASE "+db)
		}
		if err := my.load(t, LoadConfig{Part: part}, stream); err != nil {
			t.Fatalf("%+v: %v", part, err)
		}
		got := my.Query(t, "", "SELECT (SELECT COUNT(*) FROM mysql.db WHERE user = 'brought'), (SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'made_by_a_dump'), (SELECT COUNT(*) FROM "+db+".t)")
		if want := map[bool]string{true: "0\t0\t0", false: "0\t0\t1"}[part.SchemaOnly]; got != want {
			t.Errorf("%+v: there is %q, want %q", part, got, want)
		}
	}
}

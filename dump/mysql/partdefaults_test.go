package mysql

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Of a living database a part of a dump changes nothing that is its own. One that holds nothing
// gets what the dump has.
func TestPartAltersNoLivingDatabase(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "ALTER DATABASE CHARACTER SET latin2 COLLATE latin2_bin; CREATE TABLE t (a INT PRIMARY KEY); CREATE TABLE stays (a INT); CREATE PROCEDURE p() SELECT 1; ALTER DATABASE COLLATE latin2_general_ci")
	defaults := "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = '" + to + "'"
	for name, of := range map[string]struct {
		stream []byte
		part   dump.Choice
	}{
		"own":                   {my.dump(t, Config{Databases: []string{db}}), dump.Choice{ExcludeTables: []string{"stays"}}},
		"mysqldump":             {[]byte(my.mysqldump(t, "--routines", db)), dump.Choice{ExcludeTables: []string{"stays"}}},
		"one of several":        {my.dump(t, Config{Databases: []string{db, my.CreateDB(t)}}), dump.Choice{FromDatabase: db, ExcludeTables: []string{"stays"}}},
		"mysqldump, of several": {[]byte(my.mysqldump(t, "--routines", "--databases", db)), dump.Choice{FromDatabase: db, ExcludeTables: []string{"stays"}}},
	} {
		for _, living := range []bool{true, false} {
			my.Query(t, "", "DROP DATABASE "+to+"; CREATE DATABASE "+to+" CHARACTER SET latin7")
			want := "latin7\tlatin7_general_ci"
			if living {
				my.Query(t, to, "CREATE TABLE stays (a INT)")
			}
			warn, told := warned()
			if err := my.load(t, LoadConfig{Database: to, Part: of.part, Warn: warn}, of.stream); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !living && !strings.HasPrefix(name, "mysqldump") { // whose dump of one sets none
				want = "latin2\tlatin2_general_ci"
			}
			if got := my.Query(t, "", defaults); got != want && living || got != want && !strings.HasPrefix(name, "mysqldump") {
				t.Errorf("%s, living %v: the database has %q, want %q", name, living, got, want)
			}
			if got := my.Query(t, "", "SELECT routine_name FROM information_schema.routines WHERE routine_schema = '"+to+"'"); got != "p" {
				t.Errorf("%s: routines %q", name, got)
			}
			if says := strings.Contains(told(), "keeps its own defaults, latin7 and latin7_general_ci"); says != living {
				t.Errorf("%s, living %v: it warned %q", name, living, told())
			}
		}
	}
}

// The same of several databases, of which one is living and another is not there.
func TestPartAltersNoLivingOneOfSeveral(t *testing.T) {
	my := testServer(t)
	one, other := my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, other} {
		my.Query(t, db, "ALTER DATABASE CHARACTER SET latin2; CREATE TABLE t (a INT PRIMARY KEY); CREATE TABLE stays (a INT)")
	}
	stream := my.dump(t, Config{Databases: []string{one, other}})
	my.Query(t, one, "ALTER DATABASE CHARACTER SET latin7; DROP TABLE t; DROP DATABASE "+other)
	if err := my.load(t, LoadConfig{Part: dump.Choice{ExcludeTables: []string{"*.stays"}}}, stream); err != nil {
		t.Fatal(err)
	}
	for db, want := range map[string]string{one: "latin7", other: "latin2"} {
		if got := my.Query(t, "", "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = '"+db+"'"); got != want {
			t.Errorf("database %s has %q, want %q", db, got, want)
		}
	}
}

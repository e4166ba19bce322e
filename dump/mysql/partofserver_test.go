package mysql

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// One database from a dump of several goes into another one as from a dump of its own.
func TestOneDatabaseOfSeveral(t *testing.T) {
	my := testServer(t)
	db, other := my.rich(t), my.CreateDB(t)
	my.Query(t, other, "CREATE TABLE parent (mark INT); CREATE TABLE zzz (a INT)")
	stream, alone := my.dump(t, Config{Databases: []string{db, other}}), my.dump(t, Config{Databases: []string{db}})
	want, to := my.CreateDB(t), my.CreateDB(t)
	if err := my.load(t, LoadConfig{Database: want}, alone); err != nil {
		t.Fatal(err)
	}
	for _, jobs := range []int{1, 2, 4} {
		cfg := LoadConfig{Database: to, Clean: true, Jobs: jobs, Part: dump.Choice{FromDatabase: db}}
		said, _, err := my.loadInto(t, cfg, stream)
		if err != nil {
			t.Fatal(err)
		}
		if len(said) != 1 || said[0].Database != to || !slices.Equal(said[0].Databases, []string{to}) {
			t.Errorf("it said that it goes to %+v", said)
		}
		if diff := cmp.Diff(my.content(t, want), my.content(t, to)); diff != "" {
			t.Errorf("%d jobs: another database than from a dump of its own:\n%s", jobs, diff)
		}
		if a, b := my.dump(t, Config{Databases: []string{want}}), my.dump(t, Config{Databases: []string{to}}); !bytes.Equal(withoutNames(a, want), withoutNames(b, to)) {
			t.Errorf("%d jobs: another dump:\n%s", jobs, cmp.Diff(lines(string(a)), lines(string(b))))
		}
	}

	// One table of it, beside what is there, and the database's own name where none is said.
	beside := my.CreateDB(t)
	my.Query(t, beside, "CREATE TABLE child (mark INT)")
	if err := my.load(t, LoadConfig{Database: beside, Part: dump.Choice{FromDatabase: db, Tables: []string{db + ".parent"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(my.dumpOf(t, db, "parent"), my.dumpOf(t, beside, "parent")); diff != "" {
		t.Error(diff)
	}
	my.Query(t, "", "DROP DATABASE "+quote.Name(other)+"; CREATE DATABASE "+quote.Name(other))
	if err := my.load(t, LoadConfig{Part: dump.Choice{FromDatabase: other}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.listed(t, other, "TABLE"); !slices.Equal(got, []string{"parent", "zzz"}) {
		t.Errorf("tables %q", got)
	}
}

// withoutNames is a dump of one database without the notes of what names it.
func withoutNames(stream []byte, db string) []byte {
	var kept []string
	for _, line := range lines(strings.ReplaceAll(string(withoutTrailer(stream)), "`"+db+"`", "`DB`")) {
		if !strings.HasPrefix(line, "-- "+note.NamesItself) && !strings.HasPrefix(line, "-- part ") {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, "\n"))
}

// Programs and views of one of several databases name the one that they go into; one that may mean
// an alias by that name is left out.
func TestProgramsOfOneDatabaseOfSeveral(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, other, to := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, strings.ReplaceAll("CREATE TABLE log (x INT); CREATE TABLE t (id INT); CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1; "+
		"CREATE VIEW v AS SELECT DB.one() AS one, id FROM DB.t; CREATE PROCEDURE p() INSERT INTO DB.log VALUES (DB.one()); "+
		"CREATE TRIGGER DB.tr BEFORE INSERT ON DB.t FOR EACH ROW INSERT INTO DB.log VALUES (2); "+
		"CREATE PROCEDURE unsure() SELECT DB.id FROM t DB, DB.log", "DB", db))
	stream := my.dump(t, Config{Databases: []string{db, other}})
	my.Query(t, db, "DROP FUNCTION one; DROP TABLE log")
	warn, told := warned()
	if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{FromDatabase: db}, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, to, "INSERT INTO t VALUES (7); CALL p(); SELECT * FROM v; SELECT GROUP_CONCAT(x) FROM log"); got != "1\t7\n2,1" {
		t.Errorf("the restored programs and views work with %q", got)
	}
	want := "these named " + db + ", the database that they were made in, and name " + to + " now: procedure p"
	if !strings.Contains(told(), want) {
		t.Errorf("it warned %q, and not: %s", told(), want)
	}
}

// Tables of a dump of several databases go into those, beside what is there. A database that is not
// there is made as it was.
func TestTablesOfSeveralDatabases(t *testing.T) {
	my := testServer(t)
	one, two, three := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	for _, db := range []string{one, two, three} {
		my.Query(t, db, "ALTER DATABASE CHARACTER SET latin2 COLLATE latin2_bin; CREATE TABLE t (mark INT); INSERT INTO t VALUES (1); CREATE TABLE log (mark INT); INSERT INTO log VALUES (1)")
	}
	stream := my.dump(t, Config{Databases: []string{one, two, three}})
	my.Query(t, one, "UPDATE log SET mark = 2; DROP TABLE t; ALTER DATABASE CHARACTER SET latin7")
	my.Query(t, "", "DROP DATABASE "+two)
	my.Query(t, three, "UPDATE t SET mark = 2; UPDATE log SET mark = 2")
	cfg := LoadConfig{Part: dump.Choice{Tables: []string{one + ".t", two + ".*"}, ExcludeTables: []string{two + ".log"}}}
	said, _, err := my.loadInto(t, cfg, stream)
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !slices.Equal(said[0].Databases, []string{one, two}) {
		t.Errorf("it said %+v", said)
	}
	for query, want := range map[string]string{
		"SELECT mark FROM " + one + ".t": "1", "SELECT mark FROM " + one + ".log": "2", "SELECT mark FROM " + two + ".t": "1", "SELECT mark FROM " + three + ".t": "2",
		"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '" + two + "'":                                                           "1",
		"SELECT GROUP_CONCAT(default_collation_name ORDER BY 1) FROM information_schema.schemata WHERE schema_name IN ('" + one + "', '" + two + "')": "latin2_bin,latin7_general_ci",
	} {
		if got := my.Query(t, "", query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}

	// Without having been read before, it is refused by what was asked for.
	if err := my.load(t, cfg, stream); !errors.Is(err, dump.ErrNotEmpty) || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("over what is there: %v", err)
	}
	// All but some, with what is in the way dropped: a database in which those are stays.
	if _, _, err := my.loadInto(t, LoadConfig{Clean: true, Part: dump.Choice{ExcludeTables: []string{"log"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, "", "SELECT (SELECT mark FROM "+one+".log), (SELECT mark FROM "+three+".log), (SELECT mark FROM "+three+".t)"); got != "2\t2\t1" {
		t.Errorf("the tables hold %q", got)
	}
}

// One database from a dump of a whole server brings no accounts.
func TestOneDatabaseOfServer(t *testing.T) {
	from := newTestMySQL(servers.MariaDB(t))
	from.prepare(t)
	from.client(t, "", readFile(t, "testdata/server-"+strings.ToLower(string(from.family))+".sql"))
	stream := from.dump(t, Config{})
	tool := []byte(from.mysqldump(t, "--all-databases"))
	before := from.Query(t, "", "SELECT COUNT(*) FROM mysql.user")
	for name, stream := range map[string][]byte{"ours": stream, "mysqldump's": tool} {
		for _, db := range []string{"shop", "odd `db ünï"} {
			from.Query(t, "", "CREATE DATABASE restored")
			if _, _, err := from.loadInto(t, LoadConfig{Database: "restored", Part: dump.Choice{FromDatabase: db}}, stream); err != nil {
				t.Errorf("%s: %s: %v", name, db, err)
			}
			original := from.content(t, db)
			for i, line := range original { // a trigger's author has named its database
				original[i] = strings.NewReplacer("shop.tr", "`tr`", "shop.orders", "`orders`").Replace(line)
			}
			if diff := cmp.Diff(original, from.content(t, "restored")); diff != "" {
				t.Errorf("%s: another database than %s:\n%s", name, db, diff)
			}
			from.Query(t, "", "DROP DATABASE restored")
		}
		if _, verified, err := from.loadInto(t, LoadConfig{Database: "shop", Part: dump.Choice{FromDatabase: "shopp"}}, stream); !errors.Is(err, ErrNothingFits) && !errors.Is(verified, ErrNothingFits) {
			t.Errorf("%s: a database that is not there: %v", name, err)
		}
	}
	if got := from.Query(t, "", "SELECT COUNT(*) FROM mysql.user"); got != before {
		t.Errorf("%s accounts, there were %s", got, before)
	}
}

// Sequences come with the tables that take values of them, and stay where they are there.
func TestSequencesOfTables(t *testing.T) {
	my := testServer(t)
	if my.family != server.MariaDB {
		t.Skip("MySQL has no sequences")
	}
	db, other, to := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE SEQUENCE `se q``s`; CREATE SEQUENCE unused; CREATE SEQUENCE living; CREATE TABLE t (a INT DEFAULT NEXTVAL(`se q``s`) PRIMARY KEY, b INT DEFAULT NEXTVAL(living)); INSERT INTO t VALUES (), ()")
	my.Query(t, to, "CREATE SEQUENCE living START WITH 100")
	for _, tt := range []struct {
		stream []byte
		from   string
	}{{my.dump(t, Config{Databases: []string{db}}), ""}, {my.dump(t, Config{Databases: []string{db, other}}), db}} {
		warn, told := warned()
		cfg := LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"t"}, FromDatabase: tt.from}, Warn: warn}
		if err := my.load(t, cfg, tt.stream); err != nil {
			t.Fatal(err)
		}
		if got := my.listed(t, to, "SEQUENCE"); !slices.Equal(got, []string{"living", "se q`s"}) {
			t.Errorf("sequences %q", got)
		}
		if got := my.Query(t, to, "INSERT INTO t VALUES (); SELECT MAX(a) > 2, MAX(b) >= 100 FROM t"); got != "1\t1" {
			t.Errorf("the next values are %q", got)
		}
		if want := "sequence living, of which table t takes values, is there and stays as it is"; told() != want {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
		my.Query(t, to, "DROP TABLE t; DROP SEQUENCE `se q``s`")
	}
	if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"unused"}}}, my.dump(t, Config{Databases: []string{db}})); err != nil {
		t.Error(err)
	}
	if got := my.listed(t, to, "SEQUENCE"); !slices.Equal(got, []string{"living", "unused"}) {
		t.Errorf("sequences %q", got)
	}

	// One of another database of the dump, which nobody has named.
	my.Query(t, other, "CREATE TABLE far (a INT DEFAULT NEXTVAL("+db+".unused) PRIMARY KEY); INSERT INTO far VALUES ()")
	stream := my.dump(t, Config{Databases: []string{db, other}})
	my.Query(t, db, "DROP SEQUENCE unused")
	my.Query(t, other, "DROP TABLE far")
	if err := my.load(t, LoadConfig{Part: dump.Choice{Tables: []string{other + ".far"}}}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, other, "INSERT INTO far VALUES (); SELECT COUNT(*), MAX(a) > 1 FROM far"); got != "2\t1" {
		t.Errorf("the next value is %q", got)
	}
}

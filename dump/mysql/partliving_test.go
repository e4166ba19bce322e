package mysql

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// shop is a small database in which tables refer to each other, with all that may belong to one.
const shop = `CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO customers VALUES (1, 'one'), (2, 'two');
	CREATE TABLE orders (id INT PRIMARY KEY, customer INT, note VARCHAR(20), KEY (customer), CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id));
	INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b');
	CREATE TABLE items (id INT PRIMARY KEY, of_order INT, CONSTRAINT of_order FOREIGN KEY (of_order) REFERENCES orders (id)); INSERT INTO items VALUES (1, 1), (2, 2);
	CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20)); INSERT INTO log (text) VALUES ('old');
	CREATE TRIGGER orders_log AFTER INSERT ON orders FOR EACH ROW INSERT INTO log (text) VALUES (NEW.note);
	CREATE TRIGGER items_log BEFORE INSERT ON items FOR EACH ROW SET @x = 1;
	CREATE VIEW totals AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer;
	CREATE VIEW names AS SELECT c.name, t.n FROM customers c, totals t WHERE c.id = t.customer;
	CREATE PROCEDURE tidy() DELETE FROM log;
	CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE DO DELETE FROM log`

// content is all of a database that the server's own tool dumps, whatever its name.
func (my *testMySQL) content(t *testing.T, db string, args ...string) []string {
	t.Helper()
	text := my.mysqldump(t, append([]string{"--skip-comments", db}, args...)...)
	return lines(strings.ReplaceAll(text, quote.Name(db), "`DB`"))
}

// warned returns what a Loader's Warn is to be, and what it was told.
func warned() (warn func(string), all func() string) {
	var told []string
	return func(text string) { told = append(told, text) }, func() string { return strings.Join(told, "\n") }
}

// A table comes back into the database that it was lost from, or damaged in, and nothing else of
// that is touched.
func TestTableIntoLivingDatabase(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	for _, jobs := range []int{1, 2, 4} {
		db := my.CreateDB(t)
		my.Query(t, db, shop)
		before := my.content(t, db, "orders")
		stream := my.dump(t, Config{Databases: []string{db}})
		my.Query(t, db, "DELETE FROM items; DELETE FROM orders; ALTER TABLE orders ADD extra INT; UPDATE log SET text = 'kept'; CREATE TABLE later (a INT)")
		part := dump.Choice{Tables: []string{"orders"}}
		if _, _, err := my.loadInto(t, LoadConfig{Database: db, Part: part}, stream); !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "table "+db+".orders") {
			t.Errorf("over a table that is there: %v", err)
		}
		said, _, err := my.loadInto(t, LoadConfig{Database: db, Part: part, Clean: true, Jobs: jobs}, stream)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"table " + db + ".orders"}; len(said) != 1 || !slices.Equal(said[0].Drops, want) {
			t.Errorf("it said %+v, want %q dropped", said, want)
		}
		if diff := cmp.Diff(before, my.content(t, db, "orders")); diff != "" {
			t.Errorf("another table:\n%s", diff)
		}
		if got := my.Query(t, db, "SELECT (SELECT GROUP_CONCAT(text) FROM log), (SELECT COUNT(*) FROM items), (SELECT COUNT(*) FROM later), (SELECT COUNT(*) FROM names)"); got != "kept\t0\t0\t2" {
			t.Errorf("the rest of the database is %q", got)
		}
		if got := my.Query(t, db, "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = '"+db+"'"); got != "2" {
			t.Errorf("%s triggers", got)
		}
	}
}

// A table comes back beside the living ones, in another database.
func TestTableBesideLivingOnes(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, beside := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, shop)
	my.Query(t, beside, "CREATE TABLE log (mark INT); CREATE TABLE customers (id INT PRIMARY KEY)")
	stream := my.dump(t, Config{Databases: []string{db}})
	warn, told := warned()
	if err := my.load(t, LoadConfig{Database: beside, Part: dump.Choice{Tables: []string{"o*", "items", "names"}, ExcludeTables: []string{"items", "other"}}, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(my.content(t, db, "orders", "--skip-routines", "--skip-events"), my.content(t, beside, "orders")); diff != "" { // its customers are there
		t.Errorf("another table:\n%s", diff)
	}
	if got := my.listed(t, beside, "TABLE"); !slices.Equal(got, []string{"customers", "log", "orders"}) {
		t.Errorf("tables %q", got)
	}
	for _, want := range []string{"view names is left out", "which were not to be loaded: other"} {
		if !strings.Contains(told(), want) {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
	}
	if got := my.listed(t, beside, "VIEW"); len(got) > 0 {
		t.Errorf("views %q", got)
	}
	if err := my.load(t, LoadConfig{Database: beside, Part: dump.Choice{Tables: []string{"items", "totals"}}, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, beside, "SELECT SUM(n) FROM totals"); got != "2" {
		t.Errorf("the view counts %s", got)
	}
}

// A trigger comes with its table and not what it calls, which is told.
func TestTriggerWithoutWhatItCalls(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE a (v INT PRIMARY KEY); CREATE TABLE b (v INT PRIMARY KEY); CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n; "+
		"CREATE TRIGGER calls BEFORE INSERT ON a FOR EACH ROW SET NEW.v = `twice`(NEW.v); CREATE TRIGGER plain BEFORE INSERT ON b FOR EACH ROW SET @x = 1")
	for _, stream := range [][]byte{my.dump(t, Config{Databases: []string{db}}), []byte(my.mysqldump(t, db))} {
		warn, told := warned()
		my.Query(t, to, "DROP TABLE IF EXISTS a, b")
		if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{Tables: []string{"a", "b"}}, Warn: warn}, stream); err != nil {
			t.Fatal(err)
		}
		if got := told(); !strings.HasSuffix(got, "and has to be there: trigger calls: function twice") {
			t.Errorf("it warned %q", got)
		}
	}
}

// A trigger of a table that stays has the name of one that comes with a table.
func TestTriggerInTheWay(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, shop)
	my.Query(t, to, "CREATE TABLE other (a INT); CREATE TRIGGER orders_log BEFORE INSERT ON other FOR EACH ROW SET @x = 2")
	stream := my.dump(t, Config{Databases: []string{db}})
	said, _, err := my.loadInto(t, LoadConfig{Database: to, Clean: true, Part: dump.Choice{Tables: []string{"orders"}}}, stream)
	if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "table other has trigger orders_log") || len(said) > 0 {
		t.Errorf("error %v, and it said %v", err, said)
	}
}

// All but some tables: these stay in the target, and nothing else does.
func TestAllButSomeTables(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, empty := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, shop)
	stream := my.dump(t, Config{Databases: []string{db}})
	part := dump.Choice{ExcludeTables: []string{"log", "customers"}}
	my.Query(t, empty, "CREATE TABLE log (mark INT)")
	warn, told := warned()
	if err := my.load(t, LoadConfig{Database: empty, Part: part, Warn: warn}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.listed(t, empty, "TABLE"); !slices.Equal(got, []string{"items", "log", "orders"}) {
		t.Errorf("tables %q", got)
	}
	if got := len(my.listed(t, empty, "PROCEDURE")) + len(my.listed(t, empty, "EVENT")); got != 2 {
		t.Errorf("%d routines and events", got)
	}
	for _, want := range []string{"of table orders a foreign key is left out, as customers is not there: CONSTRAINT `of_customer`", "view names is left out"} {
		if !strings.Contains(told(), want) {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
	}
	my.Query(t, db, "UPDATE log SET text = 'kept'; CREATE TABLE later (a INT)")
	if err := my.load(t, LoadConfig{Database: db, Part: part}, stream); !errors.Is(err, dump.ErrNotEmpty) {
		t.Errorf("over what is there: %v", err)
	}
	if _, _, err := my.loadInto(t, LoadConfig{Database: db, Part: part, Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	if got := my.Query(t, db, "SELECT GROUP_CONCAT(text) FROM log"); got != "kept" {
		t.Errorf("the table that was not to come holds %q", got)
	}
	if got := my.listed(t, db, "TABLE"); !slices.Equal(got, []string{"customers", "items", "log", "orders"}) {
		t.Errorf("tables %q", got)
	}
	if got := my.listed(t, db, "VIEW"); !slices.Equal(got, []string{"names", "totals"}) {
		t.Errorf("views %q", got)
	}
}

// Definitions, and the rows after them, are together the database.
func TestDefinitionsThenRows(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	for _, tool := range []bool{false, true} {
		db, to := my.CreateDB(t), my.CreateDB(t)
		my.Query(t, db, shop)
		if my.family == server.MariaDB && !tool { // whose dump of one database names it before a sequence
			my.Query(t, db, "CREATE SEQUENCE numbers; CREATE TABLE numbered (a INT DEFAULT NEXTVAL(numbers) PRIMARY KEY); INSERT INTO numbered VALUES (), (), ()")
		}
		stream := my.dump(t, Config{Databases: []string{db}})
		if tool {
			stream = []byte(my.mysqldump(t, "--skip-order-by-primary", db))
		}
		if err := my.load(t, LoadConfig{Database: to, Part: dump.Choice{SchemaOnly: true}}, stream); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(my.content(t, db, "--no-data"), my.content(t, to, "--no-data")); diff != "" {
			t.Errorf("other definitions:\n%s", diff)
		}
		if got := my.Query(t, to, "SELECT COUNT(*) FROM customers"); got != "0" {
			t.Errorf("%s rows", got)
		}
		warn, told := warned()
		for _, part := range []dump.Choice{{DataOnly: true, Tables: []string{"items", "orders"}}, {DataOnly: true, ExcludeTables: []string{"items", "orders"}}} {
			if _, _, err := my.loadInto(t, LoadConfig{Database: to, Part: part, Warn: warn}, stream); err != nil {
				t.Fatal(err)
			}
			my.Query(t, to, "DELETE FROM log WHERE text IN ('a', 'b')") // by the trigger
		}
		if want := "triggers that run for the rows that are loaded: items_log, orders_log"; !strings.Contains(told(), want) {
			t.Errorf("it warned %q, and not: %s", told(), want)
		}
		my.Query(t, to, "ALTER TABLE log AUTO_INCREMENT = 2")
		if diff := cmp.Diff(my.content(t, db), my.content(t, to)); diff != "" {
			t.Errorf("another database:\n%s", diff)
		}
	}
}

// A rehearsal of a part says what of the dump would come, and what of that is in the way.
func TestRehearsePart(t *testing.T) {
	my := testServer(t)
	my.trustCreators(t)
	db, other, to := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, shop)
	my.Query(t, to, "CREATE TABLE orders (mark INT); CREATE TABLE log (mark INT)")
	one, several := my.dump(t, Config{Databases: []string{db}}), my.dump(t, Config{Databases: []string{db, other}})
	for stream, from := range map[*[]byte]string{&one: "", &several: db} {
		cfg := LoadConfig{Database: to, Clean: true, Part: dump.Choice{Tables: []string{"orders", "items"}, FromDatabase: from}}
		found, obstacles := my.rehearse(t, cfg, *stream)
		if obstacles != "<nil>" || !slices.Equal(found.Target.Drops, []string{"table " + to + ".orders"}) {
			t.Errorf("obstacles %s, and it would drop %q", obstacles, found.Target.Drops)
		}
		var names []string
		for i, table := range found.Tables {
			names = append(names, table.Name)
			if table.Rows != 2 || found.Bytes[i] == 0 {
				t.Errorf("%s: %d rows, %d bytes", table.Name, table.Rows, found.Bytes[i])
			}
		}
		if !slices.Equal(names, []string{"`items`", "`orders`"}) {
			t.Errorf("it would load %q", names)
		}
		cfg.Clean = false
		if _, obstacles := my.rehearse(t, cfg, *stream); !strings.Contains(obstacles, "it has table "+to+".orders") || strings.Contains(obstacles, "log") {
			t.Errorf("obstacles %s", obstacles)
		}
		cfg.Part.Tables = []string{"ordr"}
		if _, obstacles := my.rehearse(t, cfg, *stream); !strings.Contains(obstacles, "no table, view or sequence fits ordr") {
			t.Errorf("obstacles %s", obstacles)
		}
	}
}

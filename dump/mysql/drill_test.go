package mysql

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The copy of a drill may be on the original's server. Its events do not act, and nothing in it
// works on the original; without Drill they would.
func TestDrillActsOnNothing(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, fmt.Sprintf(`CREATE TABLE log (at DATETIME(6), who VARCHAR(64), a INT);
		CREATE EVENT busy ON SCHEDULE EVERY 1 SECOND COMMENT 'ENABLE DO' DO INSERT INTO log (at, who) VALUES (NOW(6), 'busy');
		CREATE PROCEDURE sure() INSERT INTO %[1]s.log (at, who) VALUES (NOW(6), 'sure');
		CREATE TABLE a (a INT);
		CREATE PROCEDURE unsure() SELECT %[1]s.a FROM %[1]s.log %[1]s`, db))
	far := my.CreateDB(t)
	my.Query(t, far, "CREATE TABLE parents (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO parents VALUES (1)")
	my.Query(t, db, "CREATE TABLE children (id INT, CONSTRAINT far FOREIGN KEY (id) REFERENCES "+far+".parents (id)) ENGINE=InnoDB; INSERT INTO children VALUES (1)")
	defer my.Query(t, db, "DROP TABLE children") // else nobody can drop the other database
	stream := my.dump(t, Config{Databases: []string{db}, Jobs: 1})
	my.Query(t, db, "SET GLOBAL event_scheduler = ON")
	defer my.Query(t, db, "SET GLOBAL event_scheduler = OFF")
	for _, drill := range []bool{true, false} {
		copied := my.CreateDB(t)
		var warnings []string
		err := my.load(t, LoadConfig{Database: copied, Jobs: 1, Drill: drill, Warn: func(text string) { warnings = append(warnings, text) }}, stream)
		if !drill {
			if err == nil || !strings.Contains(err.Error(), "procedure unsure") {
				t.Errorf("without a drill: error %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(warnings, func(text string) bool { return strings.HasPrefix(text, "procedure unsure is left out of the drill") }) {
			t.Errorf("warnings %q", warnings)
		}
		if got := my.Query(t, copied, "SELECT status FROM information_schema.events WHERE event_schema = DATABASE()"); got != "DISABLED" {
			t.Errorf("the event is %q", got)
		}
		my.Query(t, db, "DELETE FROM children")
		my.Query(t, far, "DELETE FROM parents") // which the copy would refuse
		before := my.Query(t, copied, "SELECT COUNT(*) FROM log")
		seen := my.Query(t, db, "SELECT COUNT(*) FROM log")
		for until := time.Now().Add(30 * time.Second); my.Query(t, db, "SELECT COUNT(*) FROM log") == seen && time.Now().Before(until); { // the original's goes on
			my.Query(t, db, "SELECT SLEEP(0.2)")
		}
		if my.Query(t, db, "SELECT COUNT(*) FROM log") == seen {
			t.Error("no event acts at all, so that the test says nothing")
		}
		if after := my.Query(t, copied, "SELECT COUNT(*) FROM log"); after != before {
			t.Errorf("the copy's event acts: %s rows, then %s", before, after)
		}
		my.Query(t, copied, "CALL sure()")
		if got := my.Query(t, copied, "SELECT COUNT(*) FROM log WHERE who = 'sure'"); got != "1" {
			t.Errorf("what names its database writes elsewhere: %q rows here", got)
		}
	}
}

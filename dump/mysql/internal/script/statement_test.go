package script

import (
	"slices"
	"testing"
)

func TestIsComment(t *testing.T) {
	for _, tt := range []struct {
		sql            string
		mysql, mariadb bool
	}{
		{"/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */", true, false},
		{"/*M! SET a */ /* and */\n/*M!100100 SET b */", true, false},
		{"/*M!100100 SET b */ SELECT 1", false, false},
		{"/*!40101 SET NAMES utf8mb4 */", false, false},
		{"/* nothing */", true, true},
		{"/* not closed", false, false},
		{"SELECT 1 /* and */", false, false},
		{"", false, false},
	} {
		if got := IsComment([]byte(tt.sql), MySQL); got != tt.mysql {
			t.Errorf("%q to MySQL: %v", tt.sql, got)
		}
		if got := IsComment([]byte(tt.sql), 0); got != tt.mariadb {
			t.Errorf("%q to MariaDB: %v", tt.sql, got)
		}
	}
}

// The statements with rows as the options of mysqldump and mariadb-dump have them.
func TestLoads(t *testing.T) {
	for _, tt := range []struct {
		sql, table string
		rows       []string
	}{
		{"INSERT INTO `t` VALUES (1,'a),(b'),\n(2,'c')", "`t`", []string{"(1,'a),(b')", "(2,'c')"}},
		{"INSERT  IGNORE INTO `t``;` (`a`, `b`) VALUES (1,(2))", "`t``;`", []string{"(1,(2))"}},
		{"REPLACE INTO \"t\" VALUES (1)", `"t"`, []string{"(1)"}},
		{"INSERT LOW_PRIORITY INTO mysql.`t` VALUES (1)", "mysql.`t`", []string{"(1)"}},
		{"INSERT INTO `t` SELECT 1", "`t`", nil},
		{"INSERT", "", nil},
		{"INSERT t VALUES (1)", "", []string{"(1)"}},
		{"CREATE TABLE `t` (a int)", "", nil},
	} {
		table, ok := Loads([]byte(tt.sql))
		if table != tt.table || ok != (tt.table != "") {
			t.Errorf("%q: table %q, %v", tt.sql, table, ok)
		}
		var rows []string
		for row := range Rows([]byte(tt.sql), 0) {
			rows = append(rows, string(row))
		}
		if !slices.Equal(rows, tt.rows) {
			t.Errorf("%q: rows %q", tt.sql, rows)
		}
	}
}

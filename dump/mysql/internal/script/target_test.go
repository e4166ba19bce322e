package script

import (
	"slices"
	"testing"
)

// What only reads from another database, and what names the dump's own, belongs to a dump of one.
func TestTargetOf(t *testing.T) {
	for sql, want := range map[string]Target{
		"CREATE TABLE `t` (`a.b` INT DEFAULT 1.5)":                                      {},
		"INSERT INTO `t` VALUES ('x.y', 1.5)":                                           {},
		"INSERT INTO `t` SELECT * FROM other.t":                                         {},
		"CREATE VIEW `v` AS SELECT * FROM `other`.`t`":                                  {},
		"CREATE DEFINER=`a.b`@`%` TRIGGER tr AFTER INSERT ON t FOR EACH ROW CALL o.p()": {},
		"ALTER TABLE `t` ADD CONSTRAINT FOREIGN KEY (a) REFERENCES `other`.`t` (a)":     {},
		"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin":                      {},
		"SELECT other.f()":                    {},
		"SET @a = (SELECT MAX(a) FROM o.t)":   {},
		"CREATE TABLE `a``b` . `t` (a INT)":   {[]string{"a`b"}, false},
		"DROP DATABASE IF EXISTS `data.b``c`": {[]string{"data.b`c"}, true},
		"ALTER SCHEMA App CHARACTER SET x":    {[]string{"App"}, true},
	} {
		if got := TargetOf([]byte(sql)); !slices.Equal(got.Databases, want.Databases) || got.Whole != want.Whole {
			t.Errorf("%s: names %+v, want %+v", sql, got, want)
		}
	}
}

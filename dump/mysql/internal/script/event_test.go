package script

import "testing"

func TestDisabled(t *testing.T) {
	for _, tt := range []struct {
		name, sql, want string
		event           bool
	}{
		{"as it is shown", "CREATE DEFINER=`a`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM t", "CREATE DEFINER=`a`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE DISABLE DO DELETE FROM t", true},
		{"with a comment", "CREATE EVENT `e` ON SCHEDULE AT '2026-01-01' ON COMPLETION PRESERVE ENABLE COMMENT 'DO ENABLE it''s \\' DO' DO SELECT 'ENABLE'", "CREATE EVENT `e` ON SCHEDULE AT '2026-01-01' ON COMPLETION PRESERVE DISABLE COMMENT 'DO ENABLE it''s \\' DO' DO SELECT 'ENABLE'", true},
		{"without a word", "CREATE EVENT e ON SCHEDULE AT (NOW() + INTERVAL 1 DAY) COMMENT 'ENABLE' DO CALL p()", "CREATE EVENT e ON SCHEDULE AT (NOW() + INTERVAL 1 DAY) DISABLE COMMENT 'ENABLE' DO CALL p()", true},
		{"no more than a body", "CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 SECOND do enable()", "CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 SECOND DISABLE do enable()", true},
		{"disabled", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE ON SLAVE DO SET @a = 1", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE ON SLAVE DO SET @a = 1", true},
		{"names that are words", "CREATE EVENT `do enable`.`do` /* enable */ ON SCHEDULE EVERY '1:1' MINUTE_SECOND ENABLE DO SET @a = 1", "CREATE EVENT `do enable`.`do` /* enable */ ON SCHEDULE EVERY '1:1' MINUTE_SECOND DISABLE DO SET @a = 1", true},
		{"in the comment of a version", "/*!50106 CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 1 */", "/*!50106 CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1 */", true},
		{"a trigger", "CREATE TRIGGER enable BEFORE INSERT ON t FOR EACH ROW SET @a = 1", "CREATE TRIGGER enable BEFORE INSERT ON t FOR EACH ROW SET @a = 1", false},
		{"a table", "CREATE TABLE event (enable INT)", "CREATE TABLE event (enable INT)", false},
	} {
		got, event := Disabled([]byte(tt.sql))
		if string(got) != tt.want || event != tt.event {
			t.Errorf("%s: %t\n%s\nwant\n%s", tt.name, event, got, tt.want)
		}
	}
}

package script

import "testing"

// What mysqldump does to the session's sql_mode, and what it says of how text is read.
func TestSessionMode(t *testing.T) {
	for _, tt := range []struct {
		set  []string
		want Mode
	}{
		{[]string{"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */"}, 0},
		{[]string{"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ANSI' */"}, ANSIQuotes},
		{[]string{"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI' */", "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */"}, 0},
		{[]string{"SET SQL_MODE='ansi_quotes'", "/*!50003 SET @saved_sql_mode = @@sql_mode */", "/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */"}, NoBackslashEscapes},
		{[]string{"SET SQL_MODE='ansi_quotes'", "/*!50003 SET @saved_sql_mode = @@sql_mode */", "SET sql_mode = ''", "/*!50003 SET sql_mode = @saved_sql_mode */"}, ANSIQuotes},
		{[]string{"SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00'"}, 0},
		{[]string{"set @@session.sql_mode := \"ANSI_QUOTES,NO_BACKSLASH_ESCAPES\""}, ANSIQuotes | NoBackslashEscapes},
		{[]string{"SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = CONCAT(@@sql_mode, '')"}, ANSIQuotes},
	} {
		var s SessionMode
		for _, sql := range tt.set {
			if !SetsMode([]byte(sql)) {
				t.Errorf("%s: it says nothing of the mode", sql)
			}
			s.Set(sql)
		}
		if s.Mode() != tt.want {
			t.Errorf("%q: %b, want %b", tt.set, s.Mode(), tt.want)
		}
	}
}

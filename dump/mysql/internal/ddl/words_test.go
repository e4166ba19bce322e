package ddl

import (
	"strings"
	"testing"
)

func TestUnknownWords(t *testing.T) {
	for create, want := range map[string]string{
		"CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=latin1 COLLATE=latin1_bin ROW_FORMAT=COMPRESSED COMMENT='NEWS=1 /*!99999 OLDS*/' `encrypted`=yes WITH SYSTEM VERSIONING\n PARTITION BY RANGE (`a`)\n(PARTITION `p` VALUES LESS THAN (3) ENGINE = InnoDB)": "",
		"CREATE TABLE `t` (\n  `a` point /*!80003 SRID 0 */,\n  `b` text /*!100301 COMPRESSED*/,\n  CONSTRAINT `c` CHECK ((`a` > 0)) /*!80016 NOT ENFORCED */\n) ENGINE=InnoDB /*!50100 TABLESPACE `x` */ DEFAULT CHARSET=utf8mb4\n/*!50100 PARTITION BY HASH (`a`)\nPARTITIONS 3 */":              "",
		"CREATE TABLE `t` (\n  `a /*!1 B*/` int DEFAULT NULL /*!170001 ATTVER=7 */\n) ENGINE=InnoDB BOOKKEEPING=7 DEFAULT CHARSET=utf8mb4 /*M!130000 KEPT */":                                                                                                                                      "ATTVER KEPT BOOKKEEPING",
	} {
		d, err := ParseTable(create)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.UnknownWords(), " "); got != want {
			t.Errorf("%s: %q, want %q", create, got, want)
		}
	}
}

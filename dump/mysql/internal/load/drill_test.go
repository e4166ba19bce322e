package load

import (
	"errors"
	"testing"
)

// A drill writes nothing into tables whose rows are another server's.
func TestTamedEngines(t *testing.T) {
	d := &nativeDump{loading: &loading{cfg: Config{Database: "copy", Drill: true, Warn: func(string) {}}}}
	for sql, far := range map[string]bool{
		"CREATE TABLE `t` (\n  `a` int(11)\n) ENGINE=SPIDER COMMENT='wrapper \"mysql\"'":                                               true,
		"CREATE TABLE `t` (\n  `a` int(11)\n) ENGINE=CONNECT TABLE_TYPE='MYSQL'":                                                       true,
		"CREATE TABLE `t` (\n  `a` int(11)\n) ENGINE=InnoDB\n PARTITION BY HASH (`a`)\n(PARTITION `p0` COMMENT = 'x' ENGINE = SPIDER)": true,
		"CREATE TABLE `t` (\n  `engine=spider` int(11) DEFAULT 1 COMMENT 'ENGINE=CONNECT'\n) ENGINE=InnoDB":                            false,
		"CREATE TABLE `t` (\n  `a` int(11)\n) ENGINE=FEDERATED CONNECTION='mysql://db/t'":                                              false,
		"INSERT INTO `t` (`a`) VALUES\n(1),\n(2)":                                                                                      false,
	} {
		got, stays, err := d.tamed([]byte(sql))
		if errors.Is(err, ErrElsewhereRows) != far || !far && (err != nil || !stays || string(got) != sql) {
			t.Errorf("%s: %t, %v, %s", sql, stays, err, got)
		}
	}
}

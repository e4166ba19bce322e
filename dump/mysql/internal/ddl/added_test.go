package ddl

import (
	"slices"
	"testing"
)

func TestAddedElements(t *testing.T) {
	elements := []string{"KEY `a` (`b`)", "CONSTRAINT `x,\n  ADD y` FOREIGN KEY (`a`) REFERENCES `p` (`id`)", "FULLTEXT KEY `f` (`c`)"}
	table, got, ok := AddedElements(AddElements("`t``\n  ADD`", elements))
	if !ok || table != "`t``\n  ADD`" || !slices.Equal(got, elements) {
		t.Errorf("%s, %q, %t", table, got, ok)
	}
	for _, sql := range []string{"ALTER TABLE `t` DISABLE KEYS", "ALTER TABLE t\n  ADD KEY", "DROP TABLE `t`", "ALTER TABLE `t"} {
		if _, _, ok := AddedElements(sql); ok {
			t.Errorf("%s adds something", sql)
		}
	}
}

func TestSequencesOf(t *testing.T) {
	d, err := ParseTable("CREATE TABLE `t` (\n  `a` int DEFAULT nextval(`d`.`s``)`),\n  `b` int DEFAULT (nextval(`s2`) + lastval(`s3`)),\n  `c` text DEFAULT 'nextval(`s4`)',\n  `nextval(` int\n) ENGINE=InnoDB")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.SequencesOf(), [][2]string{{"`d`", "`s``)`"}, {"", "`s2`"}, {"", "`s3`"}}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

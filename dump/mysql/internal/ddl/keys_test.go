package ddl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddable(t *testing.T) {
	for _, c := range []struct {
		name     string
		elements []string
		needed   []string
		want     []string
	}{
		{"plain ones", []string{"`a` int", "PRIMARY KEY (`a`)", "UNIQUE KEY `u` (`b`)", "KEY `x` (`b`,`a`)", "KEY `y` (`c`(10) DESC) USING BTREE COMMENT 'x'"}, nil, []string{"KEY `x` (`b`,`a`)", "KEY `y` (`c`(10) DESC) USING BTREE COMMENT 'x'"}},
		{"before one of FULLTEXT", []string{"KEY `x` (`b`)", "FULLTEXT KEY `f` (`c`)"}, nil, []string{"KEY `x` (`b`)"}},
		{"around one of another kind", []string{"KEY `x` (`b`)", "SPATIAL KEY `s` (`g`)", "KEY `y` (`c`)"}, nil, []string{"KEY `y` (`c`)"}},
		{"before one of an expression", []string{"KEY `x` (`b`)", "KEY `e` ((lower(`b`)))"}, nil, []string{"KEY `x` (`b`)"}},
		{"the same beside a virtual column", []string{"`v` int GENERATED ALWAYS AS (`a`) VIRTUAL", "KEY `x` (`v`)", "KEY `e` ((lower(`b`)))", "KEY `y` (`v`)"}, nil, []string{"KEY `y` (`v`)"}},
		{"of a column and an expression", []string{"KEY `e` (`a`,(lower(`b`)))", "KEY `x` (`b`)"}, nil, []string{"KEY `x` (`b`)"}},
		{"of a comment like an expression", []string{"`v` int GENERATED ALWAYS AS (`a`) VIRTUAL", "KEY `x` (`b`) COMMENT 'a,(b) ((c'", "KEY `y` (`c`)"}, nil, []string{"KEY `x` (`b`) COMMENT 'a,(b) ((c'", "KEY `y` (`c`)"}},
		{"for its own foreign key", []string{"KEY `x` (`a`)", "KEY `fk` (`b`,`c`)", "KEY `y` (`c`)", "CONSTRAINT `fk` FOREIGN KEY (`b`, `c`) REFERENCES `t` (`d`, `e`)"}, nil, []string{"KEY `x` (`a`)", "KEY `fk` (`b`,`c`)", "KEY `y` (`c`)", "CONSTRAINT `fk` FOREIGN KEY (`b`, `c`) REFERENCES `t` (`d`, `e`)"}},
		{"apart from its own foreign key", []string{"KEY `fk` (`b`,`a`)", "SPATIAL KEY `s` (`g`)", "KEY `y` (`c`)", "CONSTRAINT `fk` FOREIGN KEY (`b`) REFERENCES `t` (`d`)"}, nil, []string{"KEY `y` (`c`)"}},
		{"for one of another table", []string{"KEY `x` (`A`)", "KEY `y` (`b`)"}, []string{"`a`"}, []string{"KEY `y` (`b`)"}},
		{"for a number", []string{"`n` int NOT NULL AUTO_INCREMENT", "KEY `n` (`n`,`a`)", "KEY `y` (`b`)"}, nil, []string{"KEY `y` (`b`)"}},
		{"of odd names", []string{"KEY `x``) (` (`a``(`)"}, []string{"`x`"}, []string{"KEY `x``) (` (`a``(`)"}},
	} {
		keys, foreign := Table{Elements: c.elements}.Addable(c.needed)
		if diff := cmp.Diff(c.want, append(keys, foreign...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestParseForeignKey(t *testing.T) {
	for element, want := range map[string]ForeignKey{
		"CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `t` (`b`) ON DELETE CASCADE":          {"`a`", "", "`t`", "`b`"},
		"CONSTRAINT `c``d` FOREIGN KEY (`a`, `b)`, `e`) REFERENCES `db`.`t ``` (`x`, `y`)": {"`a`", "`db`", "`t ```", "`x`"},
		"CONSTRAINT `c` CHECK (`a` <> ' FOREIGN KEY (`a`) REFERENCES `t` (`b`)')":          {},
		"KEY `CONSTRAINT` (`a`)": {},
		"`FOREIGN KEY` varchar(9) DEFAULT 'CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `t` ('": {},
	} {
		got, ok := ParseForeignKey(element)
		if ok != (want != ForeignKey{}) || ok && got != want {
			t.Errorf("%s: %q, %v", element, got, ok)
		}
	}
}

package catalog

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
)

func TestNonStandardKeys(t *testing.T) {
	parent := &Table{Name: "`p`", Definition: ddl.Table{Elements: []string{"`id` int", "PRIMARY KEY (`id`)", "UNIQUE KEY `u` (`a`,`b`) COMMENT 'x'", "KEY `k` (`c`)"}}}
	for element, want := range map[string]bool{
		"CONSTRAINT `f` FOREIGN KEY (`x`) REFERENCES `p` (`id`) ON DELETE CASCADE": false,
		"CONSTRAINT `f` FOREIGN KEY (`x`, `y`) REFERENCES `P` (`A`, `b`)":          false,
		"CONSTRAINT `f` FOREIGN KEY (`x`) REFERENCES `p` (`a`)":                    true,
		"CONSTRAINT `f` FOREIGN KEY (`x`) REFERENCES `p` (`c`)":                    true,
		"CONSTRAINT `f` FOREIGN KEY (`x`) REFERENCES `other`.`p` (`id`)":           true,
		"CHECK (`a` <> ' FOREIGN KEY')":                                            false,
	} {
		db := &Database{Name: "d", Tables: []*Table{parent, {Name: "`t`", Definition: ddl.Table{Elements: []string{element}}}}}
		for _, t := range db.Tables {
			t.DB = db
		}
		if got := refersToNonStandardKeys([]*Database{db}); got != want {
			t.Errorf("%s: %t", element, got)
		}
	}
}

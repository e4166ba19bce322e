package dump

import "testing"

func TestSniff(t *testing.T) {
	for head, want := range map[string][2]string{
		"":                     {},
		"SELECT 1;\n":          {},
		"\x1f\x8b\x08\x00":     {"it is compressed by gzip", "zcat it first"},
		"PGDMP\x01\x0e":        {"it is an archive of pg_dump", "use pg_restore"},
		"\x6d\xe2\x99\x81\x00": {"it is an archive of MongoDB", ""},
		"-- breaking-backups dump 1 mysql server\n": {"it is a dump of another kind of database", ""},
		"-- breaking-backups dump 2 postgres\n":     {"a newer version of breaking-backups made it", ""},
	} {
		if what, do := Sniff([]byte(head)); what != want[0] || do != want[1] {
			t.Errorf("Sniff(%q) = %q, %q; want %q", head, what, do, want)
		}
	}
}

package postgres

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bytes of a database pass as they are, whatever its encoding, even where they are valid in
// none.
func TestEncodings(t *testing.T) {
	pg := testServer(t)
	for encoding, bytea := range map[string]string{
		"LATIN1":    `\xe4f6fc`,   // äöü
		"EUC_JP":    `\xc6fccbdc`, // 日本
		"WIN1251":   `\xcff0e8`,   // При
		"SQL_ASCII": `\xfffec3`,
	} {
		t.Run(encoding, func(t *testing.T) {
			make := func(db string) {
				pg.Psql(t, "postgres", `DROP DATABASE IF EXISTS `+db+` WITH (FORCE)`)
				pg.Psql(t, "postgres", `CREATE DATABASE `+db+` TEMPLATE template0 LOCALE 'C' ENCODING '`+encoding+`'`)
				t.Cleanup(func() { pg.Psql(t, "postgres", `DROP DATABASE `+db+` WITH (FORCE)`) })
			}
			make("encoded")
			make("decoded")
			// Names, comments, defaults and rows.
			pg.Psql(t, "encoded", `DO $$ DECLARE s text := convert_from('`+bytea+`', getdatabaseencoding()); BEGIN
				EXECUTE format('CREATE TABLE %I (%I text DEFAULT %L)', 't' || s, 'c' || s, s);
				EXECUTE format('INSERT INTO %I VALUES (%L), (DEFAULT)', 't' || s, s || '\');
				EXECUTE format('COMMENT ON TABLE %I IS %L', 't' || s, s);
			END $$`)
			stream := dumpDB(t, pg, "encoded")
			psqlLoad(t, pg, "decoded", stream)
			if diff := cmp.Diff(pgDump(t, pg, "encoded"), pgDump(t, pg, "decoded")); diff != "" {
				t.Errorf("restored by psql (-original +restored):\n%s", diff)
			}
			if err := restore(t, pg, LoadConfig{Database: "decoded", Clean: true}, stream); err != nil {
				t.Fatal(err)
			}
			if again := dumpDB(t, pg, "decoded"); !bytes.Equal(stream, again) {
				t.Errorf("a dump of the restored database is another:\n%s", cmp.Diff(string(stream), string(again)))
			}
		})
	}
}

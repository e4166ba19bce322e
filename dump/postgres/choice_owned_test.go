package postgres

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A table's sequences go with it where the dump is of rows alone and does not say whose they are.
func TestRowsAloneWithTheirSequences(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	const tables = `CREATE SCHEMA app; CREATE TABLE app."Ord.ers" (id serial, n integer GENERATED ALWAYS AS IDENTITY); CREATE TABLE app.other (id serial); CREATE SEQUENCE app.free;`
	pg.Psql(t, db, tables+`INSERT INTO app."Ord.ers" SELECT FROM generate_series(1, 5); INSERT INTO app.other SELECT FROM generate_series(1, 7); SELECT nextval('app.free')`)
	stream := dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true}})
	for _, k := range []struct {
		choice   dump.Choice
		to, want string
	}{
		{dump.Choice{Tables: []string{`"Ord.ers"`}}, "app", "5t 5t 1f 1f"},
		{dump.Choice{ExcludeTables: []string{`"Ord.ers"`}}, "app", "1f 1f 7t 1t"},
		{dump.Choice{Tables: []string{"app.*"}, ExcludeTables: []string{"*_n_seq"}}, "app", "5t 1f 7t 1t"},
		{dump.Choice{Tables: []string{"app.free"}}, "app", "1f 1f 1f 1t"},
		{dump.Choice{Tables: []string{`"Ord.ers"`}}, "Rest.ored", "5t 5t 1f 1f"},
	} {
		into := newDB(t, pg)
		pg.Psql(t, into, tables)
		cfg := LoadConfig{Database: into, Part: k.choice}
		if k.to != "app" {
			pg.Psql(t, into, `ALTER SCHEMA app RENAME TO "`+k.to+`"`)
			cfg.ToSchema = k.to
		}
		if err := restore(t, pg, cfg, stream); err != nil {
			t.Errorf("%+v: %v", k, err)
			continue
		}
		got := ""
		for _, sequence := range []string{"Ord.ers_id_seq", "Ord.ers_n_seq", "other_id_seq", "free"} {
			got += " " + strings.TrimSpace(pg.Psql(t, into, `SELECT last_value || left(is_called::text, 1) FROM "`+k.to+`"."`+sequence+`"`))
		}
		if got[1:] != k.want {
			t.Errorf("%+v: sequences at%s, want %s", k, got, k.want)
		}
	}
}

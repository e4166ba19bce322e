package postgres

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A server's superuser can write into its catalogues what no statement puts there. Such a dump is
// refused, or does nothing where psql runs even if psql goes on after errors.
func TestHostileCatalogues(t *testing.T) {
	pg := testServer(t)
	const objects = `
		CREATE TABLE victim (a text DEFAULT 'x', b integer CHECK (b > 0), PRIMARY KEY (b)) WITH (fillfactor = 70);
		ALTER TABLE victim ALTER a SET (n_distinct = -0.5);
		CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple, accept = 'false');
		CREATE FUNCTION fn(a integer) RETURNS integer LANGUAGE sql SET work_mem TO '1MB' AS 'SELECT 1';
		CREATE AGGREGATE agg(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
		CREATE DOMAIN dom AS text DEFAULT 'x';
		CREATE TYPE en AS ENUM ('a');
		CREATE COLLATION coll (provider = icu, locale = 'de');
		CREATE FOREIGN DATA WRAPPER fdw OPTIONS (a 'b');
		CREATE PUBLICATION pub;
		CREATE OPERATOR @@@@ (FUNCTION = textcat, LEFTARG = text, RIGHTARG = text);
		CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
		CREATE EVENT TRIGGER et ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION on_ddl();`
	const text = `convert_from('\x` + // x'; … in every way of getting out
		`78273b0a5c21206563686f203e6e657665720a2d2d20', 'UTF8')`
	updates := map[string]string{
		"storage option":           `UPDATE pg_class SET reloptions = ARRAY['fillfactor=' || $H] WHERE relname = 'victim'`,
		"name of a storage option": `UPDATE pg_class SET reloptions = ARRAY[$H || '=1'] WHERE relname = 'victim'`,
		"column option":            `UPDATE pg_attribute SET attoptions = ARRAY['n_distinct=' || $H] WHERE attrelid = 'victim'::regclass AND attname = 'a'`,
		"dictionary option":        `UPDATE pg_ts_dict SET dictinitoption = 'accept = ' || $H WHERE dictname = 'dict'`,
		"function's setting":       `UPDATE pg_proc SET proconfig = ARRAY['work_mem=' || $H] WHERE proname = 'fn'`,
		"function's settings name": `UPDATE pg_proc SET proconfig = ARRAY[$H || '=1'] WHERE proname = 'fn'`,
		"function's argument":      `UPDATE pg_proc SET proargnames = ARRAY[$H] WHERE proname = 'fn'`,
		"aggregate's start":        `UPDATE pg_aggregate SET agginitval = $H WHERE aggfnoid = 'agg'::regproc`,
		"domain's default":         `UPDATE pg_type SET typdefault = $H, typdefaultbin = NULL WHERE typname = 'dom'`,
		"enum label":               `UPDATE pg_enum SET enumlabel = $H`,
		"collation's locale":       `UPDATE pg_collation SET collcollate = $H, collctype = $H WHERE collname = 'coll'`,
		"collation's version":      `UPDATE pg_collation SET collversion = $H WHERE collname = 'coll'`,
		"extension's version":      `UPDATE pg_extension SET extversion = $H`,
		"wrapper's options":        `UPDATE pg_foreign_data_wrapper SET fdwoptions = ARRAY[$H || '=' || $H]`,
		"operator's name":          `UPDATE pg_operator SET oprname = $H WHERE oprname = '@@@@'`,
		"event":                    `UPDATE pg_event_trigger SET evtevent = $H`,
		"tags of an event trigger": `UPDATE pg_event_trigger SET evttags = ARRAY[$H]`,
		"security label":           `INSERT INTO pg_seclabel VALUES ('victim'::regclass, 'pg_class'::regclass, 0, $H, $H)`,
		"constraint's name":        `UPDATE pg_constraint SET conname = $H WHERE conrelid = 'victim'::regclass AND contype = 'c'`,
	}
	for name, update := range updates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t, pg)
			pg.Psql(t, db, objects)
			pg.Psql(t, db, strings.ReplaceAll(update, "$H", text))
			src, err := NewSource(Config{Conn: pg.DSN(db)})
			if err != nil {
				t.Fatal(err)
			}
			var stream bytes.Buffer
			if err := src.Dump(t.Context(), &stream); err != nil {
				t.Logf("refused: %v", err)
				return
			}
			cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-X", "-q", "-d", pg.DSN(newDB(t, pg)), "-f", "-")
			cmd.Dir = t.TempDir()
			cmd.Stdin = &stream
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("psql: %v\n%s", err, out)
			}
			if made, err := os.ReadDir(cmd.Dir); err != nil || len(made) > 0 {
				t.Errorf("psql made %v where it ran (%v)", made, err)
			}
		})
	}
}

// What cannot be written costs nothing but itself and what needs it: the table that has it in a
// default keeps its rows, and each that is left out is named.
func TestUnprintableIsLeftOut(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `
		CREATE OPERATOR @@@@ (FUNCTION = int4lt, LEFTARG = integer, RIGHTARG = integer);
		CREATE FUNCTION uses() RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE TABLE kept (id integer PRIMARY KEY, b boolean DEFAULT (1 @@@@ 2), c integer DEFAULT 5, CHECK (c @@@@ 9), CHECK (c > 0));
		INSERT INTO kept VALUES (1), (2);
		CREATE INDEX gone ON kept ((c @@@@ 7));
		CREATE VIEW gone_too AS SELECT id @@@@ 3 FROM kept;
		CREATE VIEW over_it AS SELECT FROM gone_too;
		CREATE DOMAIN limited AS integer CHECK (value @@@@ 1);
		CREATE TABLE lost (a integer, b boolean GENERATED ALWAYS AS (a @@@@ 1) STORED); INSERT INTO lost VALUES (1);
		GRANT SELECT ON lost TO PUBLIC; COMMENT ON TABLE lost IS 'x'; CREATE INDEX of_lost ON lost (a);
		CREATE TYPE also AS (a limited);`)
	// What an operator's name may hold no statement can say, so the server never quotes it.
	pg.Psql(t, db, `UPDATE pg_operator SET oprname = E';\n\\! echo >never' WHERE oprname = '@@@@'`)
	var warnings []string
	src, err := NewSource(Config{Conn: pg.DSN(db), Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	told := strings.Join(warnings, "\n")
	for _, what := range []string{"operator public.;", "index public.gone", "view public.gone_too", "view public.over_it", "default of public.kept.b", "constraint kept_c_check", "table public.lost", "rows of public.lost", "limited_check ON DOMAIN public.limited"} {
		if !strings.Contains(told, what) {
			t.Errorf("warned of\n%s\nwithout %s", told, what)
		}
	}
	for _, psql := range []bool{false, true} {
		restored := newDB(t, pg)
		if psql {
			psqlLoad(t, pg, restored, stream.Bytes())
		} else if err := restore(t, pg, LoadConfig{Database: restored}, stream.Bytes()); err != nil {
			t.Fatal(err)
		}
		if got := pg.Psql(t, restored, "SELECT string_agg(id || ':' || c, ' ') FROM kept"); got != "1:5 2:5" {
			t.Errorf("restored %q", got)
		}
		if got := pg.Psql(t, restored, "SELECT count(*) FROM pg_constraint WHERE conrelid = 'kept'::regclass AND contype = 'c'"); got != "1" {
			t.Errorf("%s checks restored, want the other one", got)
		}
	}
}

package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
)

// TestChoiceIntoALivingDatabase restores a table into the database that it has gone from, or still
// is in. All else there stays as it is.
func TestChoiceIntoALivingDatabase(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	psqlLoad(t, pg, db, []byte(selectionSchema))
	stream := dumpDB(t, pg, db)
	living := func(t *testing.T, changes string) string {
		t.Helper()
		into := newDB(t, pg)
		if err := restore(t, pg, LoadConfig{Database: into}, stream); err != nil {
			t.Fatal(err)
		}
		pg.Psql(t, into, changes+"; INSERT INTO audit.log (line) VALUES ('later')")
		return into
	}
	orders := dump.Choice{Tables: []string{"app.orders"}}
	const gone = "DROP PUBLICATION everything; DROP MATERIALIZED VIEW app.totals; DROP TABLE app.orders"
	t.Run("that is gone", func(t *testing.T) {
		t.Parallel()
		into := living(t, gone)
		warnings, err := restoreWarned(t, pg, LoadConfig{Database: into, Part: orders}, stream)
		if err != nil {
			t.Fatal(err)
		}
		if want := "the target has it already, and it is taken as it is: function audit.note"; len(warnings) != 1 || warnings[0] != want {
			t.Errorf("warned of %q, want %s", warnings, want)
		}
		for _, k := range [][2]string{
			{"SELECT count(*) FROM app.orders", "3"},
			{"SELECT count(*) FROM audit.log", "2"},
			{"SELECT confrelid::regclass FROM pg_constraint WHERE conrelid = 'app.orders'::regclass AND contype = 'f'", "app.customers"},
			{"INSERT INTO app.orders (customer) VALUES (1) RETURNING id", "4"},
		} {
			if got := strings.TrimSpace(pg.Psql(t, into, k[0])); got != k[1] {
				t.Errorf("%s: %s, want %s", k[0], got, k[1])
			}
		}
	})
	t.Run("that is there", func(t *testing.T) {
		t.Parallel()
		into := living(t, "SELECT 1")
		before := pgDump(t, pg, into)
		err := restore(t, pg, LoadConfig{Database: into, Part: orders}, stream)
		if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "it has table app.orders") || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%v, want ErrNotEmpty and the table", err)
		}
		if pgDump(t, pg, into) != before {
			t.Error("a refused restore changed something")
		}
	})
	t.Run("clean", func(t *testing.T) {
		t.Parallel()
		into := living(t, "DROP MATERIALIZED VIEW app.totals; DELETE FROM app.orders WHERE id = 2")
		var target dump.Target
		cfg := LoadConfig{Database: into, Part: orders, Clean: true, Into: func(to dump.Target) { target = to }}
		if err := restore(t, pg, cfg, stream); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(target.Drops, []string{"table app.orders"}) {
			t.Errorf("told of %q", target.Drops)
		}
		if got := strings.TrimSpace(pg.Psql(t, into, "SELECT (SELECT count(*) FROM app.orders) || ' ' || (SELECT count(*) FROM audit.log)")); got != "3 2" {
			t.Errorf("%s rows", got)
		}
	})
	t.Run("clean, in a single transaction", func(t *testing.T) {
		t.Parallel()
		into := living(t, "DROP MATERIALIZED VIEW app.totals; DELETE FROM app.orders WHERE customer = 2; UPDATE app.customers SET id = 7 WHERE id = 2")
		before := pgDump(t, pg, into)
		cfg := LoadConfig{Database: into, Part: orders, Clean: true, SingleTransaction: true}
		err := restore(t, pg, cfg, stream) // the foreign key does not hold any more
		if err == nil || !strings.Contains(err.Error(), "orders_customer_fkey") || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%v, want the foreign key", err)
		}
		if diff := cmp.Diff(before, pgDump(t, pg, into)); diff != "" {
			t.Errorf("a transaction that failed changed something:\n%s", diff)
		}
		var refused []string
		cfg.SingleTransaction, cfg.Refused = false, func(r dump.Refusal) { refused = append(refused, r.What) }
		if err := restore(t, pg, cfg, stream); !errors.As(err, new(*dump.IncompleteError)) || len(refused) != 1 {
			t.Errorf("going on: %v, refused %q", err, refused)
		}
		pg.Psql(t, into, "UPDATE app.customers SET id = 2 WHERE id = 7")
		cfg.SingleTransaction, cfg.Refused = true, nil
		if err := restore(t, pg, cfg, stream); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(pg.Psql(t, into, "SELECT count(*) FROM app.orders")); got != "3" {
			t.Errorf("%s rows", got)
		}
	})
	t.Run("rehearsed", func(t *testing.T) {
		t.Parallel()
		into := living(t, "DROP MATERIALIZED VIEW app.totals")
		for _, clean := range []bool{false, true} {
			l, err := NewLoader(LoadConfig{Conn: pg.DSN(into), Part: orders, Clean: clean})
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Rehearse(t.Context(), bytes.NewReader(stream))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Tables) != 1 || r.Tables[0].Name != "app.orders" || r.Bytes[0] == 0 {
				t.Errorf("tables %v with %v bytes", r.Tables, r.Bytes)
			}
			if inTheWay := len(r.Obstacles) == 1 && errors.Is(r.Obstacles[0], dump.ErrNotEmpty); inTheWay == clean || clean && !slices.Equal(r.Target.Drops, []string{"table app.orders"}) {
				t.Errorf("with clean %t: obstacles %v, drops %q", clean, r.Obstacles, r.Target.Drops)
			}
		}
	})
	t.Run("clean, with what depends on it", func(t *testing.T) {
		t.Parallel()
		into := living(t, "CREATE TABLE app.lines (o int REFERENCES app.orders)")
		before := pgDump(t, pg, into)
		err := restore(t, pg, LoadConfig{Database: into, Part: orders, Clean: true}, stream)
		if err == nil || !strings.Contains(err.Error(), "constraint lines_o_fkey on table app.lines depends on table app.orders") || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%v, want what depends on it", err)
		}
		if pgDump(t, pg, into) != before {
			t.Error("a refused restore changed something")
		}
	})
	t.Run("clean, partitions and views", func(t *testing.T) {
		t.Parallel()
		into := living(t, `CREATE TABLE app.events_2027 PARTITION OF app.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')`)
		var target dump.Target
		cfg := LoadConfig{Database: into, Part: dump.Choice{Schemas: []string{"app"}}, Clean: true, Into: func(to dump.Target) { target = to }}
		if err := restore(t, pg, cfg, stream); err != nil {
			t.Fatal(err)
		}
		slices.Sort(target.Drops)
		want := []string{
			"materialized view app.totals", "sequence app.customers_id_seq", "table app.customers", "table app.events", "table app.events_2025",
			"table app.events_2026", "table app.events_2027", "table app.orders", "view app.report",
		}
		if !slices.Equal(target.Drops, want) {
			t.Errorf("told of %q, want %q", target.Drops, want)
		}
		if got := strings.TrimSpace(pg.Psql(t, into, "SELECT (SELECT count(*) FROM app.events) || ' ' || (SELECT count(*) FROM app.report)")); got != "2 2" {
			t.Errorf("%s rows", got)
		}
	})
	t.Run("large objects", func(t *testing.T) {
		t.Parallel()
		into := living(t, "DROP SCHEMA app CASCADE")
		err := restore(t, pg, LoadConfig{Database: into, Part: dump.Choice{ExcludeTables: []string{"audit.*"}}}, stream)
		if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "it has large object 4711") {
			t.Errorf("%v, want the large object", err)
		}
	})
	t.Run("with the least rights", func(t *testing.T) {
		t.Parallel()
		into := living(t, gone)
		newRole(t, pg, into, "part_restorer")
		pg.Psql(t, into, "GRANT USAGE, CREATE ON SCHEMA app TO part_restorer; GRANT USAGE ON SCHEMA audit, lib TO part_restorer; GRANT REFERENCES ON app.customers TO part_restorer")
		l, err := NewLoader(LoadConfig{Conn: strings.Replace(pg.DSN(into), "postgres@", "part_restorer:x@", 1), NoOwner: true, Part: orders})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(pg.Psql(t, into, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'")); got != "part_restorer" {
			t.Errorf("it belongs to %s", got)
		}
	})
	t.Run("beside its renamed self", func(t *testing.T) {
		t.Parallel()
		into := living(t, `ALTER TABLE app.orders RENAME TO old; ALTER SEQUENCE app.orders_id_seq RENAME TO old_id_seq; CREATE TABLE app.lines (id int CONSTRAINT orders_pkey_1 PRIMARY KEY)`)
		warnings, err := restoreWarned(t, pg, LoadConfig{Database: into, Part: orders}, stream)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(warnings, "index app.orders_pkey becomes orders_pkey_2: the target has one of that name") {
			t.Errorf("warned of %q", warnings)
		}
		if got := strings.TrimSpace(pg.Psql(t, into, "SELECT string_agg(conname || ' ' || contype::text, ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'app.orders'::regclass AND contype IN ('p', 'f')")); got != "orders_customer_fkey f, orders_pkey_2 p" {
			t.Errorf("keys %s", got)
		}
	})
	t.Run("a sequence that has stayed", func(t *testing.T) {
		t.Parallel()
		into := living(t, "ALTER TABLE app.customers RENAME TO old; ALTER TABLE app.orders DROP CONSTRAINT orders_customer_fkey; DROP VIEW app.report")
		for _, clean := range []bool{false, true} {
			err := restore(t, pg, LoadConfig{Database: into, Part: dump.Choice{Tables: []string{"app.customers"}}, Clean: clean}, stream)
			if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "sequence app.customers_id_seq") {
				t.Errorf("%v, want the sequence", err)
			}
		}
	})
}

// What an extension brings is named by its schema alone. One that the server does not have, and
// shares the schema of another, is no reason not to restore a table.
func TestChoiceOfAnExtensionsType(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TABLE t (n citext); INSERT INTO t VALUES ('A')`)
	stream := bytes.ReplaceAll(dumpDB(t, pg, db), []byte("EXTENSION IF NOT EXISTS hstore"), []byte("EXTENSION IF NOT EXISTS hstori"))
	stream = resealed(t, bytes.ReplaceAll(stream, []byte("ON EXTENSION hstore"), []byte("ON EXTENSION hstori")))
	restored := newDB(t, pg)
	warnings, err := restoreWarned(t, pg, LoadConfig{Database: restored, Part: dump.Choice{Tables: []string{"t"}}}, stream)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "extension hstori is left out") {
		t.Errorf("%v, warned of %q", err, warnings)
	}
	if got := strings.TrimSpace(pg.Psql(t, restored, "SELECT n = 'a' FROM t")); got != "t" {
		t.Error(got)
	}
}

// resealed gives a dump that was changed the last line that fits it.
func resealed(t *testing.T, stream []byte) []byte {
	t.Helper()
	const sum = len("0123456789abcdef\n")
	body := stream[:len(stream)-sum]
	return fmt.Appendf(bytes.Clone(body), "%016x\n", xxhash.Sum64(body))
}

const movingSchema = `
	CREATE SCHEMA shop; CREATE SCHEMA lib;
	CREATE EXTENSION citext WITH SCHEMA shop;
	CREATE TYPE shop.mood AS ENUM ('sad', 'shop.mood');
	CREATE DOMAIN lib.mail AS shop.citext CHECK (VALUE <> 'shop.orders');
	CREATE FUNCTION shop.code(i integer) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''shop.'' || i';
	CREATE FUNCTION shop.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO shop.log VALUES (NEW.id); RETURN NEW; END';
	CREATE TABLE shop.log (id integer);
	CREATE TABLE shop."Ord.ers" (id serial PRIMARY KEY, mood shop.mood DEFAULT 'shop.mood', moods shop.mood[], mail lib.mail, at shop.citext,
		code text GENERATED ALWAYS AS (shop.code(1)) STORED, text text DEFAULT 'shop.log', CHECK (code <> 'shop.code'));
	CREATE TABLE shop.lines (n integer GENERATED ALWAYS AS IDENTITY, o integer REFERENCES shop."Ord.ers", "shop" integer, CHECK ("shop" > 0));
	CREATE INDEX lines_o ON shop.lines (o, (shop.code(n)));
	COMMENT ON INDEX shop.lines_o IS 'shop.lines_o';
	CREATE STATISTICS shop.stat ON n, o FROM shop.lines;
	CREATE TABLE shop.parts (n integer) PARTITION BY LIST (n);
	CREATE TABLE shop.part_1 PARTITION OF shop.parts FOR VALUES IN (1);
	CREATE INDEX ON shop.parts (n);
	CREATE TABLE shop.parent (a integer); CREATE TABLE shop.child (c integer) INHERITS (shop.parent); ALTER TABLE shop.parent ADD COLUMN b integer;
	CREATE VIEW shop.both AS SELECT shop.id, shop.mood, l.o FROM shop."Ord.ers" shop JOIN shop.lines l ON l.o = shop.id;
	CREATE TRIGGER noted BEFORE INSERT ON shop.lines FOR EACH ROW EXECUTE FUNCTION shop.note();
	CREATE RULE nothing AS ON DELETE TO shop.lines DO INSTEAD UPDATE shop.parts SET n = 1;
	CREATE POLICY p ON shop.lines USING (o IN (SELECT id FROM shop."Ord.ers"));
	GRANT SELECT ON shop.lines TO PUBLIC;
	INSERT INTO shop."Ord.ers" (mail) VALUES ('a'), ('b'); INSERT INTO shop.parts VALUES (1); INSERT INTO shop.child VALUES (1, 2, 3);
	ALTER TABLE shop.lines DISABLE TRIGGER noted; INSERT INTO shop.lines (o) VALUES (1); ALTER TABLE shop.lines ENABLE TRIGGER noted;`

// TestToSchema restores tables beside the living ones: everything that they bring is in the new
// schema, and says so wherever it names it.
func TestToSchema(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, movingSchema)
	stream := dumpDB(t, pg, db)
	for _, k := range []struct {
		name string
		into func(t *testing.T) string
	}{
		{"beside the living", func(t *testing.T) string {
			into := newDB(t, pg)
			if err := restore(t, pg, LoadConfig{Database: into}, stream); err != nil {
				t.Fatal(err)
			}
			return into
		}},
		{"into an empty database", func(t *testing.T) string { return newDB(t, pg) }},
		{"into a schema that is there", func(t *testing.T) string {
			into := newDB(t, pg)
			pg.Psql(t, into, `CREATE SCHEMA "Rest.ored"; CREATE TABLE "Rest.ored".other (); CREATE SCHEMA shop; CREATE EXTENSION citext WITH SCHEMA shop`)
			return into
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			into := k.into(t)
			cfg := LoadConfig{Database: into, ToSchema: "Rest.ored", Part: dump.Choice{Schemas: []string{"shop"}}}
			warnings, err := restoreWarned(t, pg, cfg, stream)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(warnings, "\n"); !strings.Contains(all, `function shop.note goes into schema "Rest.ored", and what its body says of schema shop stays as it is`) || strings.Contains(all, "left out") {
				t.Errorf("warned of %q", warnings)
			}
			renamed, err := dumpBytes(Config{Conn: pg.DSN(into), Select: Selection{Schemas: []string{`"Rest.ored"`}, ExcludeTables: []string{`"Rest.ored".other`}}})
			if err != nil {
				t.Fatal(err)
			}
			original, err := dumpBytes(Config{Conn: pg.DSN(db), Select: Selection{Schemas: []string{"shop"}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(moved(string(original)), moved(string(renamed))); diff != "" {
				t.Errorf("(-original +restored):\n%s", diff)
			}
			for sql, want := range map[string]string{
				`SELECT text || mood || at FROM "Rest.ored"."Ord.ers" WHERE id = 3`: "shop.logshop.moodshop.x",
				"SELECT obj_description('\"Rest.ored\".lines_o'::regclass)":         "shop.lines_o",
				"SELECT pg_typeof(mood) FROM \"Rest.ored\".both":                    `"Rest.ored".mood`,
			} {
				pg.Psql(t, into, `INSERT INTO "Rest.ored"."Ord.ers" (id, at) VALUES (3, 'shop.x') ON CONFLICT DO NOTHING`)
				if got := strings.TrimSpace(pg.Psql(t, into, sql)); got != want {
					t.Errorf("%s: %s, want %s", sql, got, want)
				}
			}
		})
	}
	t.Run("again", func(t *testing.T) {
		into := newDB(t, pg)
		cfg := LoadConfig{Database: into, ToSchema: "restored", Part: dump.Choice{Tables: []string{"shop.lines", `shop."Ord.ers"`}}}
		for range 2 {
			if err := restore(t, pg, cfg, stream); err != nil {
				t.Fatal(err)
			}
			cfg.Clean = true
		}
		if got := strings.TrimSpace(pg.Psql(t, into, `SELECT nextval('restored."Ord.ers_id_seq"') || ' ' || count(*) FROM restored.lines`)); got != "3 1" {
			t.Error(got)
		}
	})
}

// moved are the lines of a dump as they are wherever it is of: without the schema's name where it
// qualifies, sorted, as the order goes by names.
func moved(stream string) []string {
	stream = strings.NewReplacer(`\"Rest.ored\"`, "@", `"Rest.ored"`, "@", "shop.", "@.", "SCHEMA shop", "SCHEMA @").Replace(stream)
	lines := definitionLines([]byte(stream))
	slices.Sort(lines)
	return slices.Compact(lines)
}

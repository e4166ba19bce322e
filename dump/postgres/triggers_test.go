package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

const triggered = `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.fired VALUES (TG_NAME); RETURN NULL; END $$;
CREATE TABLE fired (by text); CREATE TABLE plain (id integer);
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE "Ch.ild" (id integer, parent integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE parted (id integer) PARTITION BY RANGE (id); CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TRIGGER "by default" BEFORE INSERT ON "Ch.ild" FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER always BEFORE INSERT ON "Ch.ild" FOR EACH ROW EXECUTE FUNCTION spoil(); ALTER TABLE "Ch.ild" ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER never BEFORE INSERT ON "Ch.ild" FOR EACH ROW EXECUTE FUNCTION spoil(); ALTER TABLE "Ch.ild" DISABLE TRIGGER never;
CREATE TRIGGER of_leaf BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION spoil();`

// rowsInto makes a dump of rows alone, of tables that are made by the statements given.
func rowsInto(t *testing.T, pg *servers.PG, definitions, rows string) []byte {
	t.Helper()
	from := newDB(t, pg)
	pg.Psql(t, from, definitions)
	pg.Psql(t, from, `ALTER TABLE "Ch.ild" DISABLE TRIGGER ALL; ALTER TABLE leaf DISABLE TRIGGER ALL; `+rows)
	return dumpWith(t, Config{Conn: pg.DSN(from), Select: Selection{DataOnly: true, ExcludeTables: []string{"fired"}}})
}

// The triggers of tables are silent while rows alone go in, those of foreign keys too, and are left
// as they were found, whether the load succeeds or not.
func TestDisableTriggers(t *testing.T) {
	pg := testServer(t)
	stream := rowsInto(t, pg, triggered, `INSERT INTO "Ch.ild" VALUES (1, 7); INSERT INTO parted VALUES (1); INSERT INTO plain VALUES (1)`)
	states := `SELECT string_agg(tgrelid::regclass || ' ' || CASE WHEN tgisinternal THEN 'key' ELSE tgname::text END || ' ' || tgenabled::text, ', ' ORDER BY tgrelid::regclass::text, tgisinternal, tgname) FROM pg_trigger`
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("in one transaction: %v", single), func(t *testing.T) {
			to := newDB(t, pg)
			pg.Psql(t, to, triggered)
			before := pg.Psql(t, to, states)
			cfg := LoadConfig{Database: to, DisableTriggers: true, SingleTransaction: single}
			if err := restore(t, pg, cfg, stream); err != nil {
				t.Fatal(err)
			}
			if got := pg.Psql(t, to, `SELECT (SELECT count(*) FROM fired) || ' ' || (SELECT count(*) FROM "Ch.ild") || ' ' || (SELECT count(*) FROM leaf)`); got != "0 1 1" {
				t.Errorf("fired, rows: %s, want 0 1 1", got)
			}
			pg.Psql(t, to, `ALTER TABLE "Ch.ild" ADD CHECK (id > 1) NOT VALID`)
			if err := restore(t, pg, cfg, stream); err == nil || !strings.Contains(err.Error(), "violates check constraint") {
				t.Errorf("error %v", err)
			}
			if after := pg.Psql(t, to, states); after != before {
				t.Errorf("triggers are\n%s, and were\n%s", after, before)
			}
		})
	}
}

// A role that may not keep triggers silent is told so, and a load that goes on misses those tables
// alone.
func TestDisableTriggersForbidden(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	newRole(t, pg, db, "keeper")
	pg.Psql(t, db, triggered+`ALTER TABLE "Ch.ild" OWNER TO keeper; GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper`)
	stream := rowsInto(t, pg, triggered, `INSERT INTO "Ch.ild" VALUES (1, 7), (2, 7); INSERT INTO plain VALUES (1)`)
	l := LoadConfig{Conn: strings.Replace(pg.DSN(db), "postgres://postgres@", "postgres://keeper@", 1), Password: "x", DisableTriggers: true}
	var refused []string
	for _, goesOn := range []bool{false, true} {
		if goesOn {
			l.Refused = func(r dump.Refusal) { refused = append(refused, fmt.Sprintf("%s (%d)", r.Table, r.Rows)) }
		}
		err := loadWith(t, l, stream)
		incomplete := errors.As(err, new(*dump.IncompleteError))
		if err == nil || incomplete != goesOn || !goesOn && !strings.Contains(err.Error(), "keep the table's triggers silent, which takes a superuser: ") {
			t.Errorf("error %v", err)
		}
	}
	slices.Sort(refused)
	if want := []string{`public."Ch.ild" (2)`, "public.leaf (0)", "public.parent (0)"}; !slices.Equal(refused, want) {
		t.Errorf("refused %q, want %q", refused, want)
	}
	if got := pg.Psql(t, db, "SELECT count(*) FROM plain"); got != "1" {
		t.Errorf("plain has %s rows", got)
	}
}

// From 17 on a load's sessions keep event triggers silent where the role may, and go without where
// it may not.
func TestEventTriggersAreSilent(t *testing.T) {
	skipShort(t)
	majors := servers.PostgresVersions()
	if len(majors) == 0 || majors[len(majors)-1] < 17 {
		t.Skip("no server of this machine's has event triggers that can be kept silent")
	}
	pg := servers.PostgresVersion(t, majors[len(majors)-1])
	db, of := newDB(t, pg), newDB(t, pg)
	newRole(t, pg, of, "bystander")
	pg.Psql(t, of, "GRANT ALL ON SCHEMA public TO bystander")
	check := func(want string) []byte {
		return written(t, nil, "CREATE TABLE public.a (id integer);\nDO $$ BEGIN IF current_setting('event_triggers') <> '"+want+"' THEN RAISE 'they are not "+want+"'; END IF; END $$;\n")
	}
	if err := restore(t, pg, LoadConfig{Database: db}, check("off")); err != nil {
		t.Error(err)
	}
	conn := strings.Replace(pg.DSN(of), "postgres://postgres@", "postgres://bystander@", 1)
	if err := loadWith(t, LoadConfig{Conn: conn, Password: "x"}, check("on")); err != nil {
		t.Error(err)
	}
}

// The rows alone of a dump that has definitions too go in silently as well.
func TestDisableTriggersOfAPart(t *testing.T) {
	pg := testServer(t)
	db, to := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, triggered+`ALTER TABLE "Ch.ild" DISABLE TRIGGER ALL; INSERT INTO "Ch.ild" VALUES (1, 7)`)
	pg.Psql(t, to, triggered)
	cfg := LoadConfig{Database: to, DisableTriggers: true, Part: dump.Choice{Tables: []string{`"Ch.ild"`}, DataOnly: true}}
	if err := restore(t, pg, cfg, dumpDB(t, pg, db)); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, to, `SELECT (SELECT count(*) FROM fired) || ' ' || (SELECT count(*) FROM "Ch.ild")`); got != "0 1" {
		t.Errorf("fired, rows: %s, want 0 1", got)
	}
}

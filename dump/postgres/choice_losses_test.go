package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// What goes with a table that is dropped to be restored, and does not come back with it, is named
// before it goes, or is in the way.
func TestCleanNamesWhatIsLost(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE TABLE app."Ord.ers" (id serial, n integer GENERATED ALWAYS AS IDENTITY); INSERT INTO app."Ord.ers" DEFAULT VALUES; CREATE VIEW app.shown AS SELECT 1 AS a;
		CREATE TABLE app.log (a integer) PARTITION BY LIST (a); CREATE TABLE app.log_1 PARTITION OF app.log FOR VALUES IN (1); CREATE TABLE app.log_rest PARTITION OF app.log DEFAULT; INSERT INTO app.log VALUES (1), (2)`)
	stream := dumpDB(t, pg, db)
	of := func(table string) LoadConfig {
		return LoadConfig{Database: db, Clean: true, Part: dump.Choice{Tables: []string{table}}}
	}
	t.Run("a publication and a sequence", func(t *testing.T) {
		pg.Psql(t, db, `CREATE PUBLICATION "the Pub" FOR TABLE app."Ord.ers", app.log; CREATE SEQUENCE app.extra OWNED BY app."Ord.ers".id`)
		cfg := of(`app."Ord.ers"`)
		var target dump.Target
		cfg.Into = func(to dump.Target) { target = to }
		warnings, err := restoreWarned(t, pg, cfg, stream)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(warnings, "\n"); !strings.Contains(all, `publication "the Pub" loses table app."Ord.ers"`) || strings.Contains(all, "app.log") {
			t.Errorf("warned of %q", warnings)
		}
		if want := []string{`table app."Ord.ers"`, "sequence app.extra"}; !slices.Equal(target.Drops, want) {
			t.Errorf("told of %q, want %q", target.Drops, want)
		}
	})
	for table, changes := range map[string]string{
		"app.log_rest": "SELECT 1",
		"app.shown":    "DROP VIEW app.shown; CREATE TABLE app.shown (a integer)",
	} {
		t.Run(table, func(t *testing.T) {
			pg.Psql(t, db, changes)
			before := pgDump(t, pg, db)
			err := restore(t, pg, of(table), stream)
			if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "it has table "+table+", ") || errors.As(err, new(*dump.PartialError)) {
				t.Errorf("%v, want ErrNotEmpty and the table", err)
			}
			if r, err := rehearse(t, pg, of(table), stream); err != nil || len(r.Obstacles) != 1 {
				t.Errorf("error %v, rehearsal %+v", err, r)
			}
			if pgDump(t, pg, db) != before {
				t.Error("a refused restore changed something")
			}
		})
	}
	t.Run("a partition that is detached, and one with its table", func(t *testing.T) {
		pg.Psql(t, db, "ALTER TABLE app.log DETACH PARTITION app.log_rest")
		for _, table := range []string{"app.log_rest", "app.log*"} {
			if err := restore(t, pg, of(table), stream); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM app.log")); got != "2" {
			t.Errorf("%s rows", got)
		}
	})
}

// A materialized view of the choice that the dump makes behind the rows is dropped with its table
// where the dump was read to its end before; else it is named as what stands in the way.
func TestCleanWithLateViews(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE SCHEMA app; CREATE TABLE app.docs (a integer PRIMARY KEY, b text); INSERT INTO app.docs VALUES (1, 'x');
		CREATE MATERIALIZED VIEW app."La te" AS SELECT a, b FROM app.docs GROUP BY a; CREATE MATERIALIZED VIEW app.early AS SELECT b FROM app.docs`)
	stream := dumpDB(t, pg, db)
	cfg := LoadConfig{Database: db, Clean: true, Part: dump.Choice{Schemas: []string{"app"}}}
	err := restore(t, pg, cfg, stream)
	const advice = `DROP MATERIALIZED VIEW "app"."La te"`
	if err == nil || !strings.Contains(err.Error(), advice+"; ") || errors.As(err, new(*dump.PartialError)) {
		t.Fatalf("error %v, want %s", err, advice)
	}
	if r, err := rehearse(t, pg, cfg, stream); err != nil || len(r.Obstacles) > 0 || !slices.Contains(r.Target.Drops, `materialized view app."La te"`) {
		t.Errorf("error %v, rehearsal %+v", err, r)
	}
	pg.Psql(t, db, "UPDATE app.docs SET b = 'y'; REFRESH MATERIALIZED VIEW "+`app."La te"`)
	cfg.Conn = pg.DSN("postgres")
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Verify(bytes.NewReader(stream)), l.Load(t.Context(), bytes.NewReader(stream))); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, db, `SELECT b FROM app."La te"`); got != "x" {
		t.Errorf("the view shows %q", got)
	}
	pg.Psql(t, db, "CREATE MATERIALIZED VIEW public.others AS TABLE app.docs")
	if err := restore(t, pg, LoadConfig{Database: db, Clean: true, Part: dump.Choice{Tables: []string{"app.docs", "app.early"}}}, stream); err == nil || strings.Contains(err.Error(), "DROP MATERIALIZED VIEW") {
		t.Errorf("error %v, want one without advice to drop what was not chosen", err)
	}
}

// A rehearsal keeps nobody waiting behind it for a table that somebody reads.
func TestRehearsalOfACleanWaitsForNobody(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE TABLE docs AS SELECT 1 AS a")
	stream := dumpDB(t, pg, db)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	reader, err := pgx.Connect(ctx, pg.DSN(db))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	if _, err := reader.Exec(ctx, "BEGIN; SELECT FROM docs"); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	l, err := NewLoader(LoadConfig{Conn: pg.DSN(db), Clean: true, Part: dump.Choice{Tables: []string{"docs"}}, Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Rehearse(ctx, strings.NewReader(string(stream)))
	if err != nil || len(r.Obstacles) > 0 || !slices.Equal(r.Target.Drops, []string{"table public.docs"}) {
		t.Errorf("error %v, rehearsal %+v", err, r)
	}
	if !strings.Contains(strings.Join(warnings, "\n"), "somebody is using what is to be dropped") {
		t.Errorf("warned of %q", warnings)
	}
}

package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A partition whose rows the dump has among those of others is not left out, whatever becomes of
// the rows.
func TestLeavingOutAPartitionByAnEnum(t *testing.T) {
	pg := testServer(t)
	db, into := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, `CREATE TYPE "Let.ter" AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
		CREATE TABLE log (land text, "L" "Let.ter", n integer) PARTITION BY LIST (land); CREATE TABLE log_rest PARTITION OF log DEFAULT; CREATE TABLE log_us PARTITION OF log FOR VALUES IN ('us');
		CREATE TABLE log_de PARTITION OF log FOR VALUES IN ('de') PARTITION BY HASH ("L");
		CREATE TABLE log_de_0 PARTITION OF log_de FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE log_de_1 PARTITION OF log_de FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		CREATE TABLE plain (n integer, l "Let.ter") PARTITION BY HASH (n); CREATE TABLE plain_0 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE plain_1 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO log SELECT unnest('{de,us,xx}'::text[]), unnest(enum_range(NULL::"Let.ter")), 1; INSERT INTO plain SELECT generate_series(1, 9)`)
	stream := dumpDB(t, pg, db)
	for _, out := range []string{"log_de", "log_de_1"} {
		err := restore(t, pg, LoadConfig{Database: into, Part: dump.Choice{Tables: []string{"log"}, ExcludeTables: []string{out}}}, stream)
		if err == nil || !strings.Contains(err.Error(), "cannot be left out of public.log") || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("without %s: %v", out, err)
		}
	}
	for _, choice := range []dump.Choice{{Tables: []string{"log"}, ExcludeTables: []string{"log_us"}}, {Tables: []string{"plain"}, ExcludeTables: []string{"plain_1"}}, {ExcludeTables: []string{"log", "plain"}}} {
		if err := restore(t, pg, LoadConfig{Database: into, Part: choice}, stream); err != nil {
			t.Errorf("%+v: %v", choice, err)
		}
		pg.Psql(t, into, `DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS plain; DROP TYPE "Let.ter"`)
	}
}

// What is dropped with its rows out of a table that stays is in the way, and what loses a table is
// told.
func TestCleanOfAPartitionAndOfPublished(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE log (n integer) PARTITION BY RANGE (n); CREATE TABLE log_rest PARTITION OF log DEFAULT; INSERT INTO log VALUES (1); CREATE TABLE "Or.ders" (n integer); CREATE PUBLICATION "p %" FOR TABLE "Or.ders"`)
	stream := dumpDB(t, pg, db)
	err := restore(t, pg, LoadConfig{Database: db, Clean: true, Part: dump.Choice{Tables: []string{"log_rest"}}}, stream)
	if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "table public.log_rest, a partition") || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("error %v", err)
	}
	if got := strings.TrimSpace(pg.Psql(t, db, "SELECT count(*) FROM log")); got != "1" {
		t.Errorf("log has %s rows", got)
	}
	warnings, err := restoreWarned(t, pg, LoadConfig{Database: db, Clean: true, Part: dump.Choice{Tables: []string{"log", `"Or.ders"`}}}, stream)
	if want := `publication "p %" loses table public."Or.ders", which is made anew: ALTER PUBLICATION "p %" ADD TABLE public."Or.ders"`; err != nil || !slices.Contains(warnings, want) {
		t.Errorf("error %v, warned of %q", err, warnings)
	}
}

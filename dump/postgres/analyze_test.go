package postgres

import (
	"strings"
	"testing"
)

// A load leaves the planner's statistics behind, of partitions and of what they are parts of too,
// unless it is told not to. Where code of a user does not work, in an index's expression, that is
// told and no more, and the other tables have theirs.
func TestLoadAnalyzes(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE plain AS SELECT i, i % 7 AS j FROM generate_series(1, 1000) i; CREATE TABLE empty (a integer);
		CREATE TABLE parted (a integer, b text) PARTITION BY RANGE (a); CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (1000);
		INSERT INTO parted SELECT i, i FROM generate_series(1, 500) i;
		CREATE MATERIALIZED VIEW "of Plain" AS TABLE plain; CREATE MATERIALIZED VIEW unfilled AS TABLE plain WITH NO DATA;
		CREATE TABLE own (a integer); INSERT INTO own SELECT generate_series(1, 5000);
		CREATE FUNCTION spoil(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
			IF pg_catalog.current_query() ~ 'ANALYZE' THEN RAISE 'spoilt'; END IF; RETURN $1; END $$;
		CREATE INDEX ON own (spoil(a))`)
	stream := dumpDB(t, pg, db)
	for _, jobs := range []int{1, 3} {
		restored := newDB(t, pg)
		var warnings []string
		if err := restore(t, pg, LoadConfig{Database: restored, Jobs: jobs, Warn: func(s string) { warnings = append(warnings, s) }}, stream); err != nil {
			t.Fatal(err)
		}
		if got := pg.Psql(t, restored, "SELECT string_agg(DISTINCT tablename, ' ' ORDER BY tablename) FROM pg_stats WHERE schemaname = 'public'"); !strings.HasPrefix(got, "leaf of Plain") || !strings.Contains(got, "parted plain") {
			t.Errorf("%d jobs: statistics of %q", jobs, got)
		}
		if all := strings.Join(warnings, "\n"); len(warnings) != 1 || !strings.Contains(all, "spoilt") || strings.Contains(all, "line 0") {
			t.Errorf("%d jobs: warnings %q", jobs, warnings)
		}
	}
	restored := newDB(t, pg)
	if err := restore(t, pg, LoadConfig{Database: restored, NoAnalyze: true}, stream); err != nil {
		t.Fatal(err)
	}
	if got := pg.Psql(t, restored, "SELECT count(*) FROM pg_stats WHERE schemaname = 'public'"); got != "0" {
		t.Errorf("told not to, it has made statistics of %s columns", got)
	}
}

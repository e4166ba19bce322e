package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A survey says about how many bytes the dump will have, of what is chosen, and waits for nobody
// who has a table locked.
func TestSurveyEstimates(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE long (a text); ALTER TABLE long ALTER a SET STORAGE EXTERNAL; INSERT INTO long SELECT repeat('x', 100000) FROM generate_series(1, 40);
		CREATE TABLE rows AS SELECT generate_series(1, 100000) AS a; CREATE INDEX ON rows (a);
		CREATE TABLE parted (a integer) PARTITION BY RANGE (a); CREATE TABLE "Leaf" PARTITION OF parted FOR VALUES FROM (0) TO (100000);
		INSERT INTO parted SELECT generate_series(1, 50000);
		CREATE MATERIALIZED VIEW of_rows AS TABLE rows`)
	pg.Psql(t, db, "VACUUM ANALYZE")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder, err := pgx.Connect(ctx, pg.DSN(db))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if _, err := holder.Exec(ctx, "BEGIN; LOCK TABLE long, rows, parted IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		sel         Selection
		least, most int64
	}{
		"all":             {Selection{}, 9_000_000, 11_000_000},
		"of one":          {Selection{Tables: []string{"rows"}}, 3_500_000, 3_800_000},
		"of a partition":  {Selection{Tables: []string{"parted"}}, 1_700_000, 2_000_000},
		"without":         {Selection{ExcludeTables: []string{"parted", "rows"}}, 4_000_000, 4_500_000},
		"without rows of": {Selection{ExcludeTableData: []string{"parted", "rows"}}, 4_000_000, 4_500_000},
		"definitions":     {Selection{SchemaOnly: true}, 0, 0},
	} {
		src, err := NewSource(Config{Conn: pg.DSN(db), Select: tt.sel})
		if err != nil {
			t.Fatal(err)
		}
		survey, err := src.Survey(ctx)
		if err != nil || survey.Bytes < tt.least || survey.Bytes > tt.most {
			t.Errorf("%s: %d bytes, error %v; want %d to %d", name, survey.Bytes, err, tt.least, tt.most)
		}
	}
}

// A size that the server does not tell ends no backup.
func TestSurveyWithoutAnEstimate(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	newRole(t, pg, db, "sees_no_sizes")
	pg.Psql(t, db, "CREATE TABLE t (a integer); REVOKE EXECUTE ON FUNCTION pg_catalog.pg_partition_root(regclass) FROM PUBLIC")
	var warnings []string
	src, err := NewSource(Config{Conn: strings.Replace(pg.DSN(db), "postgres@", "sees_no_sizes:x@", 1), Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	survey, err := src.Survey(t.Context())
	if err != nil || survey.Bytes != 0 || len(warnings) != 1 || !strings.Contains(warnings[0], "estimate the size") {
		t.Errorf("%+v, error %v, warned of %q", survey, err, warnings)
	}
}

// A survey of several databases says how many bytes all of them will have, but for one that does
// not tell.
func TestSurveyEstimatesSeveral(t *testing.T) {
	pg := testServer(t)
	a, b, silent := newDB(t, pg), newDB(t, pg), newDB(t, pg)
	newRole(t, pg, "postgres", "sees_some_sizes")
	for _, db := range []string{a, b, silent} {
		pg.Psql(t, db, "CREATE TABLE rows AS SELECT generate_series(1, 100000) AS a; ANALYZE")
	}
	pg.Psql(t, silent, "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_partition_root(regclass) FROM PUBLIC")
	conn := strings.Replace(pg.DSN("postgres"), "postgres@", "sees_some_sizes:x@", 1)
	var want int64
	for _, db := range []string{a, b} {
		survey, err := newSource(t, Config{Conn: conn, Database: db}).Survey(t.Context())
		if want += survey.Bytes; err != nil || survey.Bytes == 0 {
			t.Fatalf("%+v, error %v", survey, err)
		}
	}
	for _, allowed := range []bool{false, true} {
		var warnings []string
		src := newSource(t, Config{
			Conn: conn, Databases: []string{a, silent, b}, AllowEmpty: allowed,
			Warn: func(s string) { warnings = append(warnings, s) },
		})
		survey, err := src.Survey(t.Context())
		if err != nil || survey.Empty || survey.Bytes != want {
			t.Errorf("%+v, error %v, want %d bytes", survey, err, want)
		}
		if len(warnings) != 1 || !strings.HasSuffix(warnings[0], ": "+silent) {
			t.Errorf("warned of %q", warnings)
		}
	}
}

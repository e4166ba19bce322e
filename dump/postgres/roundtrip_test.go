package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestClusterFidelity holds a dump of a whole cluster against pg_dumpall's.
func TestClusterFidelity(t *testing.T) {
	skipShort(t)
	from, byPsql, natively := servers.Postgres(t), servers.Postgres(t), servers.Postgres(t)
	for _, pg := range []*servers.PG{byPsql, natively} {
		pg.Psql(t, "postgres", "ALTER SYSTEM SET allow_in_place_tablespaces = on")
		pg.Psql(t, "postgres", "SELECT pg_reload_conf()")
	}
	psqlLoad(t, from, "postgres", readFile(t, "testdata/cluster.sql"))
	stream := dumpWith(t, Config{Conn: from.DSN("postgres"), AllDatabases: true})
	psqlLoad(t, byPsql, "postgres", stream)
	if err := restore(t, natively, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	// Over what is there: refused before a role is altered, done when asked for.
	natively.Psql(t, "postgres", `ALTER ROLE app CONNECTION LIMIT 3; ALTER DATABASE postgres SET work_mem = '1MB'; ALTER ROLE app IN DATABASE template1 SET work_mem = '1MB';
		ALTER DATABASE postgres CONNECTION LIMIT 50; COMMENT ON DATABASE template1 IS 'x'; GRANT CREATE ON DATABASE postgres TO app`)
	if err := restore(t, natively, LoadConfig{}, stream); !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "plain") {
		t.Errorf("loading over databases that exist: %v, want ErrNotEmpty and their names", err)
	}
	if err := restore(t, natively, LoadConfig{Database: "plain", Clean: true}, stream); !errors.Is(err, ErrWholeCluster) {
		t.Errorf("loading a cluster into one database: %v, want ErrWholeCluster", err)
	}
	if got := strings.TrimSpace(natively.Psql(t, "postgres", "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'app'")); got != "3" {
		t.Errorf("a refused load altered a role: connection limit %s", got)
	}
	if err := restore(t, natively, LoadConfig{Clean: true}, stream); err != nil {
		t.Fatal(err)
	}
	original := pgDumpAll(t, from)
	for how, pg := range map[string]*servers.PG{"by psql": byPsql, "natively, twice": natively} {
		if diff := cmp.Diff(strings.Split(original, "\n"), strings.Split(pgDumpAll(t, pg), "\n")); diff != "" {
			t.Errorf("pg_dumpall tells the cluster restored %s from the original (-original +restored):\n%s", how, diff)
		}
	}
}

// A restored enum value has another OID and so another hash: where that is what spreads a table's
// rows, they have to find their partitions anew.
func TestPartitionsByHashOfEnum(t *testing.T) {
	pg := testServer(t)
	db, byPsql, natively := pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t)
	pg.Psql(t, db, `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'none');
		CREATE TABLE by_mood (n integer DEFAULT 7, mood mood, sized integer GENERATED ALWAYS AS (n * 2) STORED) PARTITION BY HASH (mood);
		CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 0);
		CREATE TABLE by_mood_1 (mood mood, sized integer GENERATED ALWAYS AS (n * 2) STORED, n integer);
		ALTER TABLE by_mood ATTACH PARTITION by_mood_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
		CREATE TABLE by_mood_2 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (n);
		CREATE TABLE by_mood_2_low PARTITION OF by_mood_2 FOR VALUES FROM (MINVALUE) TO (50);
		CREATE TABLE by_mood_2_high PARTITION OF by_mood_2 FOR VALUES FROM (50) TO (MAXVALUE);
		CREATE INDEX ON by_mood (n);
		INSERT INTO by_mood SELECT i, m FROM generate_series(1, 100) i, unnest(enum_range(NULL::mood)) m;`)
	stream := dumpDB(t, pg, db)
	psqlLoad(t, pg, byPsql, stream)
	if err := restore(t, pg, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	rows := func(db, table string) string {
		return pg.Psql(t, db, "SELECT md5(string_agg(t::text, ',' ORDER BY t)) FROM "+table+" t")
	}
	for _, restored := range []string{byPsql, natively} {
		if rows(db, "by_mood") != rows(restored, "by_mood") {
			t.Errorf("%s: other rows than in the original", restored)
		}
		if rows(db, "ONLY by_mood_0") == rows(restored, "ONLY by_mood_0") && rows(db, "ONLY by_mood_1") == rows(restored, "ONLY by_mood_1") {
			t.Logf("%s: the rows happen to lie as before, which tests nothing", restored)
		}
	}
}

// newDB makes a database that can be dropped again whatever is put into it.
func newDB(t *testing.T, pg *servers.PG) string {
	t.Helper()
	db := pg.CreateDB(t)
	t.Cleanup(func() {
		// pg_subscription is one for all databases, and few have any.
		if pg.Psql(t, "postgres", "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = '"+db+"'") == "0" {
			return
		}
		pg.Psql(t, db, `DO $$ DECLARE s name; BEGIN
			FOR s IN SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) LOOP
				EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', s);
				EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', s);
				EXECUTE format('DROP SUBSCRIPTION %I', s);
			END LOOP; END $$`)
	})
	return db
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// restore loads a stream with cfg, whose Conn it sets.
func restore(t *testing.T, pg *servers.PG, cfg LoadConfig, stream []byte) error {
	t.Helper()
	cfg.Conn = pg.DSN("postgres")
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l.Load(context.Background(), bytes.NewReader(stream))
}

// dumpDB returns our dump of a database.
func dumpDB(t *testing.T, pg *servers.PG, db string) []byte {
	t.Helper()
	return dumpWith(t, Config{Conn: pg.DSN(db)})
}

func dumpWith(t *testing.T, cfg Config) []byte {
	t.Helper()
	cfg.Warn = func(s string) { t.Log("warning:", s) }
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := src.Dump(context.Background(), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// psqlLoad loads a dump the way a user without this program would. Nothing in a dump may make psql
// do anything where it runs.
func psqlLoad(t *testing.T, pg *servers.PG, db string, stream []byte) {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", pg.DSN(db), "-f", "-")
	cmd.Dir = t.TempDir()
	cmd.Stdin = bytes.NewReader(stream)
	cmd.Stdout = io.Discard
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql: %v\n%s", err, stderr.Bytes())
	}
	if made, err := os.ReadDir(cmd.Dir); err != nil || len(made) > 0 {
		t.Errorf("psql made %v where it ran (%v)", made, err)
	}
}

// pgDump returns what pg_dump writes, without what differs from run to run.
func pgDump(t *testing.T, pg *servers.PG, db string) string {
	t.Helper()
	return reference(t, pg, "pg_dump", pg.DSN(db))
}

func pgDumpAll(t *testing.T, pg *servers.PG) string {
	t.Helper()
	return reference(t, pg, "pg_dumpall", pg.DSN("postgres"))
}

func reference(t *testing.T, pg *servers.PG, tool, dsn string, args ...string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(pg.BinDir, tool), append([]string{"-d", dsn}, args...)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return steady(string(out))
}

// inPlace is where a tablespace lies that is in its server's own folder; newer tools leave it out.
var inPlace = regexp.MustCompile(`LOCATION 'pg_tblspc/\d+'`)

// steady leaves out of a reference what differs from run to run, and sorts the rows of each COPY:
// the order in which a table's rows lie is nobody's to keep.
func steady(sql string) string {
	lines := strings.Split(sql, "\n")
	kept := lines[:0]
	begin := -1
	for _, line := range lines {
		switch {
		case begin >= 0 && line == `\.`:
			slices.Sort(kept[begin:])
			begin = -1
		case begin >= 0: // a row
		case strings.HasPrefix(line, `\restrict `) || strings.HasPrefix(line, `\unrestrict `):
			continue
		case strings.HasPrefix(line, "COPY ") && strings.HasSuffix(line, " FROM stdin;"):
			begin = len(kept) + 1
		case strings.Contains(line, " LOCATION 'pg_tblspc/"): // perhaps behind a name of several lines
			line = inPlace.ReplaceAllString(line, "LOCATION ''")
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

package postgres

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A load's sessions have what a load wants, but for what the connection itself says. What they have
// is told by a function that an index calls, which fails with it.
func TestLoadSessionSettings(t *testing.T) {
	pg := servers.Postgres(t)
	pg.Psql(t, "postgres", "ALTER SYSTEM SET synchronous_commit = on")
	pg.Psql(t, "postgres", "SELECT pg_reload_conf()")
	db := newDB(t, pg)
	// The key takes a while, so that the index is begun beside it.
	pg.Psql(t, db, `CREATE FUNCTION tells(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
		IF pg_catalog.current_setting('application_name') <> 'original' THEN
			RAISE 'tells %', ARRAY(SELECT pg_catalog.current_setting(s) FROM pg_catalog.unnest(ARRAY['maintenance_work_mem', 'max_parallel_maintenance_workers', 'synchronous_commit']) s);
		END IF; RETURN $1; END $$;
		SET application_name = original;
		CREATE TABLE first (a integer PRIMARY KEY, b text); INSERT INTO first SELECT i, repeat(i::text, 100) FROM generate_series(1, 30000) i;
		CREATE TABLE second (a integer, b text); INSERT INTO second SELECT i, repeat(i::text, 100) FROM generate_series(1, 30000) i;
		CREATE INDEX ON second (tells(a)); CREATE INDEX ON second (b)`)
	stream := dumpDB(t, pg, db)
	memory := func(told string) int {
		kb, unit, _ := strings.Cut(strings.NewReplacer("MB", " 1024", "GB", " 1048576", "kB", " 1").Replace(told), " ")
		n, err := strconv.Atoi(kb)
		factor, err2 := strconv.Atoi(unit)
		if err != nil || err2 != nil {
			t.Fatalf("maintenance_work_mem %q", told)
		}
		return n * factor
	}
	for _, c := range []struct {
		name, options string
		jobs          int
		workers       string
		commit        string
		raises        bool
	}{
		{"alone", "", 1, "2", "off", true},
		{"of several", "", 2, "0", "off", true},
		{"as the connection says", "-c maintenance_work_mem=70MB -c max_parallel_maintenance_workers=1 -c synchronous_commit=local", 2, "1", "local", false},
	} {
		restored := newDB(t, pg)
		l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres") + "&options=" + url.PathEscape(c.options), Database: restored, Jobs: c.jobs})
		if err != nil {
			t.Fatal(err)
		}
		err = l.Load(t.Context(), strings.NewReader(string(stream)))
		if err == nil || !strings.Contains(err.Error(), "tells {") {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, told, _ := strings.Cut(err.Error(), "tells {")
		told, _, _ = strings.Cut(told, "}")
		f := strings.Split(told, ",")
		if f[1] != c.workers || f[2] != c.commit {
			t.Errorf("%s: the session has %s", c.name, told)
		}
		switch kb := memory(f[0]); {
		case c.raises && kb < 64<<10: // it depends on the machine
			t.Errorf("%s: maintenance_work_mem is %s, less than it was", c.name, f[0])
		case !c.raises && kb != 70<<10:
			t.Errorf("%s: maintenance_work_mem is %s", c.name, f[0])
		}
	}
}

// What takes longer than all that is still to be done beside it has the server's parallel workers:
// an index of a large table does while one of a small table is being built.
func TestLoadOfTheLastIndex(t *testing.T) {
	pg := servers.Postgres(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `CREATE FUNCTION lasts(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
		IF $1 = 1 AND pg_catalog.current_setting('application_name') <> 'original' THEN PERFORM pg_catalog.pg_sleep(60); END IF; RETURN $1; END $$;
		CREATE FUNCTION tells(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
		IF pg_catalog.current_setting('application_name') <> 'original' THEN
			RAISE 'tells %', pg_catalog.current_setting('max_parallel_maintenance_workers');
		END IF; RETURN $1; END $$;
		SET application_name = original;
		CREATE TABLE a_small (a integer, b text); INSERT INTO a_small SELECT i, repeat(i::text, 100) FROM generate_series(1, 10000) i;
		CREATE INDEX ON a_small (lasts(a));
		CREATE TABLE b_large (a integer, b text); INSERT INTO b_large SELECT i, repeat(i::text, 100) FROM generate_series(1, 30000) i;
		CREATE INDEX ON b_large (tells(a))`)
	l, err := NewLoader(LoadConfig{Conn: pg.DSN("postgres"), Database: newDB(t, pg), Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err = l.Load(t.Context(), strings.NewReader(string(dumpDB(t, pg, db)))); err == nil || !strings.Contains(err.Error(), "tells 2") {
		t.Errorf("%v", err)
	}
}

package postgres

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// The list of catalogues is the server's, in every version: one that is missing in it, and one that none has, is a mistake.
func TestEveryCatalogueIsKnown(t *testing.T) {
	pg := testServer(t)
	has := strings.Fields(pg.Psql(t, "postgres", "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND oid < 16384"))
	for _, name := range has {
		if knownCatalogues[name] == "" {
			t.Errorf("%s is not on the list", name)
		}
	}
	since15 := []string{"pg_parameter_acl", "pg_publication_namespace"}
	for name := range knownCatalogues {
		if !slices.Contains(has, name) && (version(t, pg) >= 150000 || !slices.Contains(since15, name)) {
			t.Errorf("%s is on the list, and the server has none", name)
		}
	}
	// Of columns of one letter each is on the list, or one in which a letter changes nothing of which kind a thing is.
	const others = `aggfinalmodify aggmfinalmodify amoppurpose attalign attcompression collencoding confdeltype confmatchtype confupdtype datlocprovider deptype ev_type oprkind
		enumsortorder privtype provolatile proparallel pubgencols srsubstate substream subtwophasestate typalign typcategory typdelim typstorage partstrat`
	for _, name := range strings.Fields(pg.Psql(t, "postgres", `SELECT c.relname || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND attrelid < 16384 AND atttypid = '"char"'::regtype`)) {
		_, column, _ := strings.Cut(name, ".")
		if !slices.ContainsFunc(knownLetters, func(l letters) bool { return l.catalogue+"."+l.column == name }) && !slices.Contains(strings.Fields(others), column) {
			t.Errorf("%s is not on the list", name)
		}
	}
}

// What is not known, or where no dump looks, is named once.
func TestUnknownKindsAreNamed(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, `SET allow_system_table_mods = on; CREATE TABLE pg_catalog.hidden_here (a integer); CREATE FUNCTION information_schema.also() RETURNS integer LANGUAGE sql AS 'SELECT 1';
		CREATE TABLE t (a integer); CREATE TEMP TABLE of_a_session (a integer); UPDATE pg_rewrite SET ev_enabled = 'X' WHERE oid = (SELECT min(oid) FROM pg_rewrite)`)
	var warnings []string
	src := newSource(t, Config{Conn: pg.DSN(db), Warn: func(s string) { warnings = append(warnings, s) }})
	known := knownCatalogues["pg_depend"]
	delete(knownCatalogues, "pg_depend")
	err := src.Dump(t.Context(), &bytes.Buffer{})
	knownCatalogues["pg_depend"] = known
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Join(warnings, "\n")
	for _, what := range []string{`"pg_depend"`, "pg_rewrite.ev_enabled X", "table pg_catalog.hidden_here", "function information_schema.also()"} {
		if strings.Count(told, what) != 1 {
			t.Errorf("warned of\n%s\nwant %s once", told, what)
		}
	}
	if len(warnings) != 4 {
		t.Errorf("%d warnings:\n%s", len(warnings), told)
	}
	conn := settledConn(t, pg, db)
	c := &catalog{conn: conn, srv: server{version: 190001}}
	list, err := c.unknownKinds(t.Context())
	if err != nil || !slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "PostgreSQL 19") }) {
		t.Errorf("of a newer server is told %q, %v", list, err)
	}
}

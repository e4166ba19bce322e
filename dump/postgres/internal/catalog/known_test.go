package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// The list of catalogues is the server's, in every version: one that is missing in it, and one that
// none has, is a mistake.
func TestEveryCatalogueIsKnown(t *testing.T) {
	pg := servers.Postgres(t)
	cc, err := server.ParseConfig(pg.DSN("postgres"), "", "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, srv, err := server.Connect(t.Context(), cc, "postgres", server.ForReading(0))
	if err != nil {
		t.Fatal(err)
	}
	defer server.HangUp(conn)
	has := strings.Fields(pg.Psql(t, "postgres", "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND oid < 16384"))
	for _, name := range has {
		if knownCatalogues[name] == "" {
			t.Errorf("%s is not on the list", name)
		}
	}
	since15 := []string{"pg_parameter_acl", "pg_publication_namespace"}
	for name := range knownCatalogues {
		if !slices.Contains(has, name) && (srv.Version >= 150000 || !slices.Contains(since15, name)) {
			t.Errorf("%s is on the list, and the server has none", name)
		}
	}
	// Of columns of one letter each is on the list, or one in which a letter changes nothing of
	// which kind a thing is.
	const others = `aggfinalmodify aggmfinalmodify amoppurpose attalign attcompression collencoding confdeltype confmatchtype confupdtype datlocprovider deptype ev_type oprkind
		enumsortorder privtype provolatile proparallel pubgencols srsubstate substream subtwophasestate typalign typcategory typdelim typstorage partstrat`
	for _, name := range strings.Fields(pg.Psql(t, "postgres", `SELECT c.relname || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND attrelid < 16384 AND atttypid = '"char"'::regtype`)) {
		_, column, _ := strings.Cut(name, ".")
		if !slices.ContainsFunc(knownLetters, func(l letters) bool { return l.catalogue+"."+l.column == name }) && !slices.Contains(strings.Fields(others), column) {
			t.Errorf("%s is not on the list", name)
		}
	}
	// One that is not is told of, and so is a server that is newer than this program.
	c := &Database{conn: conn, srv: srv}
	c.srv.Version = 190001
	known := knownCatalogues["pg_depend"]
	delete(knownCatalogues, "pg_depend")
	list, err := c.Unknown(t.Context())
	knownCatalogues["pg_depend"] = known
	for _, what := range []string{"PostgreSQL 19", `"pg_depend"`} {
		if err != nil || !slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, what) }) {
			t.Errorf("told %q, %v, without %s", list, err, what)
		}
	}
}

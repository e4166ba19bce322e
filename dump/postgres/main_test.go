package postgres

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// The tests of this package share a server; each makes databases of its own.
var shared struct {
	sync.Once
	pg  *servers.PG
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.pg != nil {
		if err := shared.pg.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// testServer returns the shared server, which the first call starts.
func testServer(t *testing.T) *servers.PG {
	t.Helper()
	skipShort(t)
	shared.Do(func() { shared.pg, shared.err = servers.StartPostgres() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.pg
}

// version returns the server's, as server_version_num.
func version(t *testing.T, pg *servers.PG) int {
	t.Helper()
	n, err := strconv.Atoi(pg.Psql(t, "postgres", "SHOW server_version_num"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// newRole makes a role that may log in, with the password x. When the test is over it is dropped,
// with what it owns and may do in db.
func newRole(t *testing.T, pg *servers.PG, db, name string) {
	t.Helper()
	pg.Psql(t, db, "CREATE ROLE "+name+" LOGIN PASSWORD 'x'")
	t.Cleanup(func() {
		pg.Psql(t, db, "DROP OWNED BY "+name+" CASCADE")
		pg.Psql(t, db, "DROP ROLE "+name)
	})
}

// readsAll lets a role read every table of the database, by the role that 14 has for it or, before,
// by a privilege on each.
func readsAll(t *testing.T, pg *servers.PG, db, role string) {
	t.Helper()
	if version(t, pg) >= 140000 {
		pg.Psql(t, db, "GRANT pg_read_all_data TO "+role)
		return
	}
	pg.Psql(t, db, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+role+"; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "+role)
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a PostgreSQL server")
	}
}

package postgres

import (
	"fmt"
	"os"
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

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a PostgreSQL server")
	}
}

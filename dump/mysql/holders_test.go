package mysql

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Who holds a table that a dump waited for in vain is named.
func TestHolders(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE busy (a INT PRIMARY KEY)")
	s := my.source(t, Config{Databases: []string{db}, LockTimeout: time.Second})
	holder, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	var id int
	if err := holder.Row(t.Context(), "SELECT CONNECTION_ID()", &id); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"USE " + quote.Name(db), "LOCK TABLES busy WRITE"} {
		if err := holder.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Dump(t.Context(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(": session %d of %+q from ", id, my.address.User)) {
		t.Errorf("error %v, want one that names session %d", err, id)
	}
}

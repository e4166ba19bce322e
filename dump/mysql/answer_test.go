package mysql

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// A server that never ends a row, or an answer, is not believed until all memory is gone; one that
// sends many rows is.
func TestAnswersAreBounded(t *testing.T) {
	my := testServer(t)
	db, large := my.CreateDB(t), my.CreateDB(t)
	const most = 1 << 20
	my.Query(t, db, "CREATE TABLE many (a LONGTEXT); INSERT INTO many VALUES (REPEAT('x', 500000)), (REPEAT('x', 500000)), (REPEAT('x', 500000))")
	my.Query(t, large, "CREATE TABLE one (a LONGTEXT); INSERT INTO one VALUES (REPEAT('x', 2000000))")
	for db, want := range map[string]string{
		db:    "",
		large: fmt.Sprintf("the server sends a row, or the answer to a query, of more than %d bytes", most),
	} {
		s := my.source(t, Config{Databases: []string{db}})
		s.conn.MaxAllowedPacket = most
		if err := s.Dump(t.Context(), io.Discard); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", db, err, want)
		}
	}
}

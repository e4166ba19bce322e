package mysql

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A server that never ends a row, or an answer, is not believed until all memory is gone; one that sends many rows is.
func TestAnswersAreBounded(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	const most = 1 << 20
	my.Query(t, db, "CREATE TABLE many (a LONGTEXT); INSERT INTO many VALUES (REPEAT('x', 500000)), (REPEAT('x', 500000)), (REPEAT('x', 500000))")
	read := func(query string) error {
		cc, err := my.address.Driver()
		if err != nil {
			t.Fatal(err)
		}
		cc.MaxAllowedPacket = most
		c, err := server.Connect(t.Context(), cc)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s := &pieceStream{piece: piece{table: &catalog.Table{Columns: make([]catalog.Column, 1)}}, data: make(chan *rowBuffer, 10)}
		return c.Explain(t.Context(), c.Raw(func(raw server.DriverConn) error {
			r := &rowReading{pieceStream: s, session: c, conn: raw, opened: func() {}, buffers: newRowBuffers()}
			return r.whole(context.WithoutCancel(t.Context()), query)
		}))
	}
	for query, want := range map[string]string{
		fmt.Sprintf("SELECT a FROM %s.many", db): "",
		"SELECT REPEAT('x', 2000000)":            fmt.Sprintf("the server sends a row, or the answer to a query, of more than %d bytes", most),
	} {
		if err := read(query); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

package rows

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
)

// A server that is not PostgreSQL any more can send rows that end their COPY.
func TestHostileRows(t *testing.T) {
	long := strings.Repeat("x", bufferSize)
	for name, c := range map[string]struct {
		row  string
		fine bool
	}{
		"a row":                       {"1\tx\\n\n", true},
		"no columns":                  {"\n", true},
		"a long row":                  {long + "\n", true},
		"the end of COPY":             {"\\.\n", false},
		"more than a line":            {"1\n\\.\n\\! touch never\n", false},
		"no line":                     {"\\.", false},
		"more than a line, at length": {long + "\n\\.\n\\! touch never\n" + long + "\n", false},
		"no line, at length":          {long, false},
		"a line more, at length":      {long + "\n\n", false},
		"the end, as on Windows":      {"\\.\r\n", false},
		"the end, at length":          {"\\." + long + "\n", false},
		"begins as the end does":      {"\\.x\n", false},
		"a value like it":             {"\\\\.\n", true},
		"a value like it, at length":  {"\\\\." + long + "\n", true},
		"a return":                    {"1\r\n", false},
		"a return, at length":         {long + "\r\n", false},
		"a zero byte":                 {"1\x00\n", false},
		"a zero byte, at length":      {long + "\x00\n", false},
		"nothing":                     {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range 10 { // the first read ends in the message's head, or in the row's first bytes
				tally, got, err := receiveRow(t, c.row, cut)
				switch {
				case c.fine && (err != nil || tally.Rows != 1 || got != c.row):
					t.Errorf("%d rows, %d bytes, %v; want 1 row, %d bytes", tally.Rows, len(got), err, len(c.row))
				case !c.fine && !errors.Is(err, errLooseRow):
					t.Errorf("error %v, want: %v", err, errLooseRow)
				}
			}
			if _, err := (&mainRows{w: io.Discard}).Write([]byte(c.row)); c.fine != (err == nil) {
				t.Errorf("one by one: error %v", err)
			}
		})
	}
}

// receiveRow has a copier receive a COPY of one row from a server that pauses after the bytes
// given.
func receiveRow(t *testing.T, row string, cut int) (dump.Tally, string, error) {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		defer server.Close()
		if _, err := pgproto3.NewBackend(server, server).Receive(); err != nil {
			return
		}
		var stream []byte
		for _, m := range []pgproto3.BackendMessage{
			&pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte(row)}, &pgproto3.CopyDone{},
			&pgproto3.CommandComplete{CommandTag: []byte("COPY 1")}, &pgproto3.ReadyForQuery{TxStatus: 'T'},
		} {
			stream, _ = m.Encode(stream)
		}
		const begin = 8 // of the row's message
		server.Write(stream[:begin+cut])
		server.Write(stream[begin+cut:]) // fails where the client has hung up
	}()
	k := &copier{conn: batched(client), buf: make([]byte, bufferSize)}
	k.lend(8) // more than a long row fills
	q := newPieceQueue([]piece{{table: &catalog.Relation{}, bytes: 1 << 30}})
	if err := k.send("COPY t TO STDOUT"); err != nil {
		t.Fatal(err)
	}
	asked := q.take()
	err := k.receive(t.Context(), q, asked, nil)
	var got strings.Builder
	for _, b := range asked[0].ready {
		got.Write(b.rows)
	}
	return asked[0].tally, got.String(), err
}

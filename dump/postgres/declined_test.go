package postgres

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Who is told what a load drops, and ends it there, finds everything as it was: of one database and
// of several.
func TestDeclined(t *testing.T) {
	pg := testServer(t)
	db := pg.CreateDB(t)
	pg.Psql(t, db, "CREATE TABLE t AS SELECT 'dumped' AS mark")
	one, several := dumpWith(t, Config{Conn: pg.DSN(db)}), dumpWith(t, Config{Conn: pg.DSN(db), Databases: []string{db}})
	pg.Psql(t, db, "UPDATE t SET mark = 'old'")
	declined := errors.New("declined")
	for name, test := range map[string]struct {
		home   string
		stream []byte
	}{"of one": {db, one}, "of several": {"postgres", several}} {
		ctx, decline := context.WithCancelCause(t.Context())
		var target dump.Target
		l, err := NewLoader(LoadConfig{Conn: pg.DSN(test.home), Clean: true, Into: func(told dump.Target) {
			target = told
			decline(declined)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(ctx, bytes.NewReader(test.stream)); !errors.Is(err, declined) || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("%s: error %v, want %v, and nothing changed", name, err, declined)
		}
		if got := pg.Psql(t, db, "SELECT mark FROM t"); got != "old" || len(target.Drops) == 0 {
			t.Errorf("%s: the table holds %q, and %q was to be dropped", name, got, target.Drops)
		}
	}
}

package rows

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// Tables are cut where they are large enough, and of those whose owners are not trusted the pieces
// are watched.
func TestPieces(t *testing.T) {
	pg := servers.Postgres(t)
	t.Run("of trusted owners", func(t *testing.T) {
		db := pg.CreateDB(t)
		sql, err := os.ReadFile("../../testdata/rows.sql")
		if err != nil {
			t.Fatal(err)
		}
		pg.Psql(t, db, string(sql))
		list, version := piecesOf(t, pg, db, Auto)
		got := map[string]int{}
		for _, p := range list {
			got[strings.TrimPrefix(p.table.Name, "public.")]++
		}
		byPlace := 2
		if version < 140000 { // which cannot scan a range of blocks: see cutByPlace
			byPlace = 1
		}
		for name, least := range map[string]int{"in_order": 3, "shuffled": 2, "by_text": 2, "by_time": 2, "no_key": byPlace, "one_value": 1, "by_enum": 1, "long_rows": 1, "empty": 1} {
			if got[name] < least {
				t.Errorf("%s is read in %d pieces, want at least %d", name, got[name], least)
			}
		}
	})
	t.Run("of others", func(t *testing.T) {
		db := pg.CreateDB(t)
		pg.Psql(t, db, `CREATE ROLE watched_owner; GRANT CREATE, USAGE ON SCHEMA public TO watched_owner; SET ROLE watched_owner;
			CREATE TABLE a_big (id integer PRIMARY KEY, s text); INSERT INTO a_big SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 80000) i;
			CREATE TABLE b_big (id integer, s text); INSERT INTO b_big TABLE a_big; ANALYZE`)
		list, version := piecesOf(t, pg, db, ByKey)
		pieces := 0
		for _, p := range list {
			if p.watched {
				pieces++
			}
		}
		want := 6
		if version < 140000 {
			want = 3 // a table without a key is read whole
		}
		if pieces < want {
			t.Errorf("%d pieces are watched, want %d at least: several of either table", pieces, want)
		}
	})
}

// piecesOf returns the pieces of all tables of a database, and the server's version.
func piecesOf(t *testing.T, pg *servers.PG, db string, order Order) ([]piece, int) {
	t.Helper()
	cc, err := server.ParseConfig(pg.DSN(db), "", "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := func(ctx context.Context) (*pgx.Conn, server.Info, error) {
		return server.Connect(ctx, cc, db, server.ForReading(0))
	}
	conn, srv, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.HangUp(conn)
	if err := server.Exec(t.Context(), conn.PgConn(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Read(t.Context(), conn, srv, &choice.Rules{}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	in := New(conn, srv, Config{
		Order: order, Open: func(ctx context.Context) (*pgx.Conn, error) { conn, _, err := open(ctx); return conn, err }, Debug: func(s string) { t.Log(s) },
	})
	defer in.Close()
	list, err := in.pieces(t.Context(), c.Tables)
	if err != nil {
		t.Fatal(err)
	}
	return list, srv.Version
}

package postgres

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestConformance holds this engine to what every engine promises, and its dumps against pg_dump's:
// what pg_dump says of a database restored from ours is what it says of the original.
func TestConformance(t *testing.T) {
	pg := testServer(t)
	var originals sync.Map // pg_dump's, by database: four restored ones are held against each
	dumptest.Run(t, dumptest.Suite[string]{
		New: func(t *testing.T) string { return newDB(t, pg) },
		Source: func(t *testing.T, db string, jobs int, told func(dump.Table)) dump.Source {
			src, err := NewSource(Config{Conn: pg.DSN(db), Jobs: jobs, Table: told, AllowEmpty: true, Warn: func(s string) { t.Log("warning:", s) }})
			if err != nil {
				t.Fatal(err)
			}
			return src
		},
		Loader: func(t *testing.T, db string, o dumptest.Options) dumptest.Loader {
			l, err := NewLoader(LoadConfig{
				Conn: pg.DSN(db), Clean: o.Clean, Jobs: o.Jobs, Part: o.Part, DisableTriggers: o.Part.DataOnly, Refused: o.Refused, Into: o.Into, Warn: o.Warn,
			})
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Items:  Items,
		ByTool: func(t *testing.T, db string, stream []byte) { psqlLoad(t, pg, db, stream) },
		Same: func(t *testing.T, original, restored string) {
			want, known := originals.Load(original)
			if !known {
				want = pgDump(t, pg, original)
				originals.Store(original, want)
			}
			if diff := cmp.Diff(strings.Split(want.(string), "\n"), strings.Split(pgDump(t, pg, restored), "\n")); diff != "" {
				t.Errorf("pg_dump tells the restored database from the original (-original +restored):\n%s", diff)
			}
		},
		Sessions: func(t *testing.T, db string) int {
			n, err := strconv.Atoi(pg.Psql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'breaking-backups' AND datname = "+server.Literal(db)))
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		Kill: func(ctx context.Context, db string) error {
			conn, err := pgx.Connect(ctx, pg.DSN("postgres"))
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'breaking-backups' AND datname = $1", db)
			return err
		},
		Pattern: func(table string) string { return table }, // the manifest writes names as patterns are written
		SameTable: func(t *testing.T, original, restored, table string) {
			if diff := cmp.Diff(pgDumpTable(t, pg, original, table), pgDumpTable(t, pg, restored, table)); diff != "" {
				t.Errorf("pg_dump tells the restored table from the original (-original +restored):\n%s", diff)
			}
		},
		Cases:    cases(t, pg),
		Refusing: refusingDatabase(pg),
		Ledger:   ledger(pg),
	})
}

// pgDumpTable is what pg_dump says of a table, in parts, without what joins it with others: foreign
// keys, and what ties it to the table that it is a partition of.
func pgDumpTable(t *testing.T, pg *servers.PG, db, table string) []string {
	t.Helper()
	parts := slices.DeleteFunc(strings.Split(reference(t, pg, "pg_dump", pg.DSN(db), "--table="+table), "\n--\n-- "), func(part string) bool {
		return strings.Contains(part, "; Type: FK CONSTRAINT;") || strings.Contains(part, " ATTACH; Schema: ") ||
			strings.Contains(part, "; Type: TRIGGER; ") && !strings.Contains(part, "\nCREATE ") // its whole table's trigger
	})
	slices.Sort(parts)
	return parts
}

// cases are the scripts of testdata/database.
func cases(t *testing.T, pg *servers.PG) (list []dumptest.Case[string]) {
	for _, script := range scripts(t) {
		list = append(list, dumptest.Case[string]{
			Name: strings.TrimSuffix(filepath.Base(script), ".sql"),
			Fill: func(t *testing.T, db string) { psqlLoad(t, pg, db, readFile(t, script)) },
		})
	}
	return list
}

// refusingRole is dropped when its privilege is in a dump.
const refusingRole = "gone before its dump comes back"

// refusingDatabase is one with rows that belong into it alone, with an order that refers to nobody,
// and with a privilege of a role that goes.
func refusingDatabase(pg *servers.PG) *dumptest.Refusing[string] {
	role := server.Ident(refusingRole)
	return &dumptest.Refusing[string]{
		Fill: func(t *testing.T, db string) {
			pg.Psql(t, db, `CREATE TABLE customers (id integer PRIMARY KEY);
				CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers);
				ALTER TABLE orders DISABLE TRIGGER ALL;
				INSERT INTO orders SELECT i, 0 FROM generate_series(1, 20000) i;
				ALTER TABLE orders ENABLE TRIGGER ALL;
				CREATE TABLE "at h.ome" (id integer CHECK (current_database() = '`+db+`'));
				INSERT INTO "at h.ome" SELECT generate_series(1, 20000);
				CREATE INDEX ON "at h.ome" (id);
				CREATE VIEW seen AS TABLE "at h.ome";
				CREATE ROLE `+role+`;
				GRANT SELECT ON customers TO `+role)
		},
		Lack:    func(t *testing.T, db string) { pg.Psql(t, db, "DROP OWNED BY "+role+"; DROP ROLE "+role) },
		Missing: []dump.Table{{Name: `public."at h.ome"`, Rows: 20000}},
		Refused: 3, // the rows, the foreign key, the privilege
	}
}

func ledger(pg *servers.PG) dumptest.Ledger[string] {
	return dumptest.Ledger[string]{
		Rows: 90_000,
		Fill: func(t *testing.T, db string) {
			pg.Psql(t, db, `CREATE TABLE a_accounts (id integer PRIMARY KEY, balance bigint NOT NULL);
				INSERT INTO a_accounts SELECT i, 1000 FROM generate_series(1, 100) i;
				CREATE TABLE z_accounts (LIKE a_accounts INCLUDING ALL);
				INSERT INTO z_accounts TABLE a_accounts;
				CREATE TABLE m_rows (id integer PRIMARY KEY, body text NOT NULL, version integer NOT NULL);
				INSERT INTO m_rows SELECT i, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text), 100000 FROM generate_series(1, 90000) i;
				ANALYZE`)
		},
		Rewrite: func(t *testing.T, db string, n int) {
			pg.Psql(t, db, "UPDATE m_rows SET version = version + 1 WHERE id BETWEEN 45000 AND 44999 + "+strconv.Itoa(n))
		},
		Delete: func(t *testing.T, db string, n int) {
			pg.Psql(t, db, "DELETE FROM m_rows WHERE id BETWEEN 45000 AND 44999 + "+strconv.Itoa(n))
		},
		Transfer: func(ctx context.Context, db string) error {
			conn, err := pgx.Connect(ctx, pg.DSN(db))
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				for _, sql := range []string{
					"UPDATE a_accounts SET balance = balance - 1 WHERE id = 1 + $1::int % 100",
					"UPDATE z_accounts SET balance = balance + 1 WHERE id = 1 + $1::int % 100",
				} {
					if _, err := tx.Exec(ctx, sql, conn.PgConn().PID()); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Total: func(t *testing.T, db string) int64 {
			total, err := strconv.ParseInt(pg.Psql(t, db, "SELECT sum(balance) FROM (TABLE a_accounts UNION ALL TABLE z_accounts) a"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return total
		},
	}
}

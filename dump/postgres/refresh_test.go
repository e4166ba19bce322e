package postgres

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A materialized view is filled as its owner, for whom the policies of what he reads hold. One that
// the server does not fill costs nothing else: it is named, also by the error that says that the
// restore is not whole.
func TestRefresh(t *testing.T) {
	pg := testServer(t)
	db, byPsql, natively, partly := pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t), pg.CreateDB(t)
	pg.Psql(t, "postgres", "CREATE ROLE clerk; CREATE ROLE holder")
	t.Cleanup(func() {
		for _, db := range []string{db, byPsql, natively, partly} {
			pg.Psql(t, db, "DROP OWNED BY clerk, holder CASCADE")
		}
		pg.Psql(t, "postgres", "DROP ROLE clerk, holder")
	})
	pg.Psql(t, db, `CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(0, 9); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t OWNER TO holder;
		CREATE POLICY odd ON t TO clerk USING (a % 2 = 1); GRANT SELECT ON t TO clerk;
		CREATE MATERIALIZED VIEW of_clerk AS SELECT a FROM t; ALTER MATERIALIZED VIEW of_clerk OWNER TO clerk; REFRESH MATERIALIZED VIEW of_clerk`)
	stream := dumpDB(t, pg, db)
	psqlLoad(t, pg, byPsql, stream)
	body := stream[bytes.IndexByte(stream, '\n')+1 : bytes.LastIndex(stream, []byte("-- table "))]
	earlier := strings.Replace(string(body), "SET row_security = on;\n", "", 1) // as versions before wrote it
	if err := restore(t, pg, LoadConfig{Database: natively}, written(t, dump.Manifest{tableOf("public.t", strings.Fields("0 1 2 3 4 5 6 7 8 9")...)}, earlier)); err != nil {
		t.Fatal(err)
	}
	pg.Psql(t, db, `CREATE TABLE divisors (a integer); INSERT INTO divisors VALUES (1);
		CREATE MATERIALIZED VIEW a_quotients AS SELECT 1 / a AS q FROM divisors; CREATE MATERIALIZED VIEW b_of_quotients AS TABLE a_quotients; INSERT INTO divisors VALUES (0)`)
	var warned []string
	err := restore(t, pg, LoadConfig{Database: partly, Warn: func(s string) { warned = append(warned, s) }}, dumpDB(t, pg, db))
	if !errors.As(err, new(*dump.PartialError)) || !strings.Contains(err.Error(), "the server does not fill 2 materialized views: line ") || !strings.HasSuffix(err.Error(), dump.AllElse) {
		t.Errorf("error %v, want one that names two views", err)
	}
	if len(warned) != 2 || !strings.Contains(warned[0], "public.a_quotients;: ERROR: division by zero") || !strings.Contains(warned[1], "public.b_of_quotients;: ") {
		t.Errorf("warned of %q", warned)
	}
	for how, restored := range map[string]string{"by psql": byPsql, "natively": natively, "without the others": partly} {
		if got := pg.Psql(t, restored, "SELECT string_agg(a::text, ' ' ORDER BY a) FROM of_clerk"); got != "1 3 5 7 9" {
			t.Errorf("%s the view of a role that may not see all rows has %q", how, got)
		}
	}
}

package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// rehearse rehearses the load of a dump; Conn of the configuration is the role.
func rehearse(t *testing.T, pg *servers.PG, cfg LoadConfig, stream []byte) (dump.Rehearsal, error) {
	t.Helper()
	role := cfg.Conn
	if role == "" {
		role = "postgres"
	}
	cfg.Conn = strings.Replace(pg.DSN("postgres"), "postgres://postgres@", "postgres://"+role+"@", 1)
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l.Rehearse(t.Context(), bytes.NewReader(stream))
}

const needy = `CREATE EXTENSION IF NOT EXISTS "no such; extension" WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
CREATE COLLATION public.strange (provider = libc, locale = 'xx_XX.UTF-8');
CREATE COLLATION public.icu (provider = icu, locale = 'xx-XX');
CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE plnothing
    AS 'TO role_in_a_body; LANGUAGE no';
SET default_tablespace = "Over there";
CREATE TABLE public.a (id integer);
SET default_tablespace = '';
ALTER TABLE public.a OWNER TO "Ow""ner";
CREATE POLICY p ON public.a TO reader_1, "reader 2" USING (("to" = id));
COPY public.a (id) FROM stdin;
1
2
\.
GRANT SELECT(id) ON TABLE public.a TO PUBLIC;
REVOKE ALL ON TABLE public.a FROM revoked;
SET SESSION AUTHORIZATION grantor;
GRANT SELECT ON TABLE public.a TO granted WITH GRANT OPTION;
RESET SESSION AUTHORIZATION;
GRANT SELECT ON TABLE public.a TO pg_monitor;
ALTER DEFAULT PRIVILEGES FOR ROLE defaulter IN SCHEMA public GRANT SELECT ON TABLES TO defaulted;
COMMENT ON TABLE public.a IS 'GRANT x TO commented;';
`

// A rehearsal tells what the target lacks, each once, and changes nothing.
func TestRehearse(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	stream := written(t, dump.Manifest{tableOf("public.a", "1", "2")}, needy)
	const objects = "SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_depend) || ' ' || (SELECT count(*) FROM pg_namespace)"
	before := pg.Psql(t, db, objects)
	r, err := rehearse(t, pg, LoadConfig{Database: db}, stream)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"extension no such; extension", "language plnothing", "locale xx_XX.UTF-8",
		`role Ow"ner`, "role defaulted", "role defaulter", "role granted", "role grantor", "role reader 2", "role reader_1", "role revoked", "tablespace Over there",
	}
	if diff := cmp.Diff(want, r.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if len(r.Obstacles) > 0 || r.Target.Database != db || r.Tables.Rows() != 2 || len(r.Bytes) != 1 || !strings.HasPrefix(r.To, "PostgreSQL ") {
		t.Errorf("rehearsal %+v", r)
	}
	r, err = rehearse(t, pg, LoadConfig{Database: db, NoOwner: true, NoPrivileges: true}, stream)
	if want := []string{"extension no such; extension", "language plnothing", "locale xx_XX.UTF-8", "role reader 2", "role reader_1", "tablespace Over there"}; err != nil || !cmp.Equal(r.Missing, want) {
		t.Errorf("without owners and privileges: error %v, missing %q, want %q", err, r.Missing, want)
	}
	if after := pg.Psql(t, db, objects); after != before {
		t.Error("the rehearsal has changed the database")
	}
}

// A rehearsal of a real dump tells the bytes of its tables, and nothing is missing on the server
// that it is of.
func TestRehearseOfADump(t *testing.T) {
	pg := testServer(t)
	db, to := newDB(t, pg), newDB(t, pg)
	pg.Psql(t, db, `CREATE TABLE "T.1" AS SELECT generate_series(1, 1000) AS a; CREATE TABLE empty (a integer); CREATE INDEX ON empty (a)`)
	r, err := rehearse(t, pg, LoadConfig{Database: to}, dumpDB(t, pg, db))
	if err != nil || len(r.Obstacles)+len(r.Missing) > 0 || len(r.Tables) != 2 || len(r.Bytes) != 2 || r.Bytes[0] < 3000 || r.Bytes[1] == 0 {
		t.Errorf("error %v, rehearsal %+v", err, r)
	}
	data := dumpWith(t, Config{Conn: pg.DSN(db), Select: Selection{DataOnly: true}})
	r, err = rehearse(t, pg, LoadConfig{Database: to}, data)
	if want := []string{`table public."T.1"`, "table public.empty"}; err != nil || !cmp.Equal(r.Missing, want) {
		t.Errorf("rows alone: error %v, missing %q, want %q", err, r.Missing, want)
	}
}

// What would keep a load from beginning is in the rehearsal; a dump that is not whole is an error.
func TestRehearseObstacles(t *testing.T) {
	pg := testServer(t)
	full := newDB(t, pg)
	pg.Psql(t, full, "CREATE TABLE precious (a integer)")
	whole := written(t, nil, "CREATE SCHEMA s;\nCREATE TABLE public.a (id integer);\n")
	newRole(t, pg, "postgres", "may_nothing")
	bare := newDB(t, pg)
	pg.Psql(t, bare, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
	var cluster bytes.Buffer
	w := dump.NewWriter(&cluster, script.Cluster)
	w.WriteString(script.DatabaseLine(full) + "CREATE DATABASE " + full + ";\n" + script.ConnectCommand(full) + "\n")
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cfg    LoadConfig
		stream []byte
		want   []string
	}{
		"not empty":       {LoadConfig{Database: full}, whole, []string{"the database is not empty: it has relation public.precious"}},
		"cleaned":         {LoadConfig{Database: full, Clean: true}, whole, nil},
		"no such":         {LoadConfig{Database: "no such database"}, whole, []string{`database "no such database" does not exist`}},
		"no right":        {LoadConfig{Database: bare, Conn: "may_nothing", Password: "x"}, whole, []string{`GRANT CREATE ON DATABASE "` + bare + `" TO may_nothing`, "GRANT CREATE ON SCHEMA public TO may_nothing"}},
		"a cluster there": {LoadConfig{}, cluster.Bytes(), []string{"the server has database " + full}},
		"into one":        {LoadConfig{Database: full}, cluster.Bytes(), []string{"which goes into a server and not into one database"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := rehearse(t, pg, tt.cfg, tt.stream)
			if err != nil || len(r.Obstacles) != len(tt.want) {
				t.Fatalf("error %v, obstacles %v, want %q", err, r.Obstacles, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(r.Obstacles[i].Error(), want) {
					t.Errorf("obstacle %v, want %s", r.Obstacles[i], want)
				}
			}
			if tt.cfg.Clean && len(r.Target.Drops) != 1 {
				t.Errorf("target %+v, want one that says what is dropped", r.Target)
			}
		})
	}
	if _, err := rehearse(t, pg, LoadConfig{Database: full}, whole[:len(whole)-5]); !errors.Is(err, dump.ErrTruncated) {
		t.Errorf("error %v, want %v", err, dump.ErrTruncated)
	}
	if got := pg.Psql(t, full, "SELECT count(*) FROM precious"); got != "0" {
		t.Errorf("precious has %s rows", got)
	}
}

// Who waits for a server is told whether it is worth it.
func TestReach(t *testing.T) {
	pg := testServer(t)
	newRole(t, pg, "postgres", "reacher")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(closed.Addr().(*net.TCPAddr).Port)
	closed.Close()
	starting := answering(t, "E\x00\x00\x00\x26SFATAL\x00VFATAL\x00C57P03\x00Mstarting\x00\x00")
	hangsUp := answering(t, "")
	for name, tt := range map[string]struct {
		conn, password  string
		reached, isWait bool
		several         bool
	}{
		"there":                       {pg.DSN("postgres"), "", true, false, false},
		"nobody listens":              {"host=127.0.0.1 port=" + port + " user=x dbname=x", "", false, true, false},
		"no socket":                   {"host=" + filepath.Join(t.TempDir(), "none") + " user=x dbname=x", "", false, true, false},
		"no such host":                {"host=no-such-host.invalid user=x dbname=x", "", false, true, false},
		"starting":                    {starting, "", false, true, false},
		"hangs up":                    {hangsUp, "", false, true, false},
		"wrong password":              {strings.Replace(pg.DSN("postgres"), "postgres://postgres@", "postgres://reacher@", 1), "wrong", false, false, false},
		"no database":                 {pg.DSN("nowhere"), "", false, false, false},
		"no such database of several": {pg.DSN("nowhere"), "", true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := NewLoader(LoadConfig{Conn: tt.conn, Password: tt.password, Several: tt.several})
			if err != nil {
				t.Fatal(err)
			}
			err = l.Reach(t.Context())
			if (err == nil) != tt.reached || errors.As(err, new(*dump.NotReadyError)) != tt.isWait {
				t.Errorf("error %v", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := NewLoader(LoadConfig{Conn: "host=127.0.0.1 port=" + port + " user=x dbname=x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reach(ctx); !errors.Is(err, context.Canceled) || errors.As(err, new(*dump.NotReadyError)) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// answering starts a server that says one thing to whoever connects, and hangs up.
func answering(t *testing.T, says string) (conn string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 1024))
			io.WriteString(c, says)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "host=127.0.0.1 sslmode=disable user=x dbname=x port=" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// The rehearsal of a part is of that part.
func TestRehearseOfAPart(t *testing.T) {
	pg := testServer(t)
	db := newDB(t, pg)
	pg.Psql(t, db, "CREATE TABLE a (id integer); CREATE TABLE b (id integer)")
	r, err := rehearse(t, pg, LoadConfig{Database: db, Part: dump.Choice{Tables: []string{"a"}}}, dumpDB(t, pg, db))
	if err != nil || len(r.Tables) != 1 || r.Tables[0].Name != "public.a" || len(r.Bytes) != 1 || len(r.Obstacles) != 1 || !errors.Is(r.Obstacles[0], dump.ErrNotEmpty) {
		t.Errorf("error %v, rehearsal %+v", err, r)
	}
	r, err = rehearse(t, pg, LoadConfig{Database: db, Clean: true, Part: dump.Choice{Tables: []string{"a"}}}, dumpDB(t, pg, db))
	if err != nil || len(r.Obstacles) > 0 || len(r.Target.Drops) != 1 {
		t.Errorf("with clean: error %v, rehearsal %+v", err, r)
	}
}

package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// With this variable set to "all", TestVersions takes every version of PostgreSQL into every other,
// in place of the oldest into the newest and back, and all of them into their own.
const versionsVar = "BREAKING_BACKUPS_TEST_VERSIONS"

// A refusal is a statement of a newer server's dump that an older server does not take.
type refusal struct {
	to        int    // this version, and what is older
	script    string // of testdata/database; it and what follows are patterns
	statement string
	words     string // what the server says
	// without is the part of the statement that the older does not know, where the rest of it does
	// as well there. Empty: the older has not got what the statement makes.
	without string
}

// A difference is a statement that is in one of two dumps that a server makes of the same: of what
// was filled there and of what came from another server.
type difference struct {
	across    int    // from what is below this version, or the other way
	since     int    // but not from or to what is below this one
	script    string // as above
	statement string
}

// TestVersions takes what the conformance's databases hold from servers of one version into servers
// of another, newer and older.
//
// What both versions know is restored by this program and by psql as what the other server itself
// would have made of the scripts. What only the newer knows it dumps too, and the older takes all
// of that but for a few statements.
//
// And each version takes its own dumps.
func TestVersions(t *testing.T) {
	skipShort(t)
	majors := servers.PostgresVersions()
	switch which := os.Getenv(versionsVar); which {
	case "":
		majors = []int{majors[0], majors[len(majors)-1]}
	case "all":
	default:
		t.Fatalf("%s=%s: all expected", versionsVar, which)
	}
	pgs := map[int]*servers.PG{}
	for _, major := range majors {
		pgs[major] = servers.PostgresVersion(t, major)
	}
	own, files := servers.PostgresVersions(), scripts(t)
	if os.Getenv(versionsVar) == "" {
		// TestConformance has the version of testServer. What hostile has other scripts have once,
		// where it has it of fifteen names.
		own = slices.DeleteFunc(own, func(major int) bool { return major == version(t, testServer(t))/10000 })
		files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "hostile.sql" })
	}
	t.Run("within", func(t *testing.T) {
		for _, major := range own {
			t.Run(strconv.Itoa(major), func(t *testing.T) {
				t.Parallel()
				pg := pgs[major]
				if pg == nil {
					pg = servers.PostgresVersion(t, major)
				}
				within(t, pg, major, files)
			})
		}
	})
	var used used
	for _, from := range majors {
		for _, to := range majors {
			if from == to {
				continue
			}
			t.Run(fmt.Sprintf("%d to %d", from, to), func(t *testing.T) {
				v := crossing{from: from, to: to, here: pgs[from], there: pgs[to], used: &used}
				v.run(t, "common", min(from, to))
				if from > to {
					v.run(t, "all", from)
				}
			})
		}
	}
	if n := len(majors) * (len(majors) - 1); int(used.runs.Load()) < n+n/2 {
		return // -run has chosen some
	}
	oldest, newest := majors[0], majors[len(majors)-1]
	for i, r := range refusals {
		if _, ok := used.refusals.Load(i); !ok && r.to >= oldest && r.to < newest && !t.Failed() {
			t.Errorf("no server refuses %s (%s)", r.statement, r.script)
		}
	}
	for i, d := range differences {
		somewhere := slices.ContainsFunc(majors, func(major int) bool { return d.between(major, newest) })
		if _, ok := used.differences.Load(i); !ok && somewhere && !t.Failed() {
			t.Errorf("no dumps differ in %s (%s)", d.statement, d.script)
		}
	}
}

// within takes what the conformance's databases hold, all in one, back into the server that it was
// dumped from: nothing in the dump is newer than the server, and nothing is lost.
func within(t *testing.T, pg *servers.PG, major int, files []string) {
	dropRoles(t, pg)
	db, restored := newDB(t, pg), newDB(t, pg)
	for _, file := range files {
		fill(t, pg, db, file, major)
	}
	stream := dumpDB(t, pg, db)
	if err := restore(t, pg, LoadConfig{Database: restored, Jobs: 2}, stream); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(stream), "\n"), strings.Split(string(dumpDB(t, pg, restored)), "\n")); diff != "" {
		t.Errorf("what was restored is dumped otherwise (-original +restored):\n%s", diff)
	}
}

// A crossing is the way from a server to one of another version.
type crossing struct {
	from, to    int
	here, there *servers.PG
	used        *used
}

// used are the entries of the tables below that something was found in.
type used struct {
	refusals, differences sync.Map
	runs                  atomic.Int64
}

func (u *used) refusal(i int)    { u.refusals.Store(i, true) }
func (u *used) difference(i int) { u.differences.Store(i, true) }

func (d difference) between(from, to int) bool {
	return min(from, to) < d.across && max(from, to) >= d.across && min(from, to) >= d.since
}

// run fills databases here, as far as a version knows what is in the scripts, and takes each there.
func (v crossing) run(t *testing.T, name string, version int) {
	t.Run(name, func(t *testing.T) {
		v.used.runs.Add(1)
		dropRoles(t, v.here)
		dropRoles(t, v.there)
		for _, file := range scripts(t) {
			script := strings.TrimSuffix(filepath.Base(file), ".sql")
			// Only one script has more for a version than for 14; hostile has what others have too.
			if name == "all" && script != "versions" && (v.to >= 14 || script == "hostile") {
				continue
			}
			t.Run(script, func(t *testing.T) {
				t.Parallel()
				db := newDB(t, v.here)
				fill(t, v.here, db, file, version)
				twin := newDB(t, v.there) // the roles come with it, which a dump of a database has not got
				fill(t, v.there, twin, file, min(version, v.to))
				v.cross(t, script, db, twin, version <= v.to)
			})
		}
	})
}

// dropRoles drops the roles that scripts have made, after the databases are gone.
func dropRoles(t *testing.T, pg *servers.PG) {
	t.Cleanup(func() {
		pg.Psql(t, "postgres", `DO $$ DECLARE r name; BEGIN
			FOR r IN SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user LOOP
				EXECUTE format('DROP ROLE %I', r);
			END LOOP; END $$`)
	})
}

// scripts are the files that fill the conformance's databases.
func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/database/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	return files
}

// fill runs a script as it is for that version of PostgreSQL.
func fill(t *testing.T, pg *servers.PG, db, file string, version int) {
	t.Helper()
	cmd := exec.Command(filepath.Join(pg.BinDir, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file,
		"-d", pg.DSN(db)+"&options=-cfill.version%3D"+strconv.Itoa(version))
	cmd.Stdout = io.Discard
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql: %v\n%s", err, stderr.Bytes())
	}
}

// cross takes db there. The twin is what was filled there to be the same, or the same as far as it
// is known there.
func (v crossing) cross(t *testing.T, script, db, twin string, common bool) {
	stream := dumpDB(t, v.here, db)
	restored := newDB(t, v.there)
	refused := v.byStatement(t, script, restored, stream)
	again := dumpDB(t, v.there, restored)
	tables, there := manifest(t, stream), manifest(t, again)
	for name, table := range tables {
		if got, ok := there[name]; ok && got != table || !ok && len(refused) == 0 {
			t.Errorf("table %s: %+v, want %+v", name, got, table)
		}
	}
	natively := newDB(t, v.there)
	err := restore(t, v.there, LoadConfig{Database: natively}, stream)
	if len(refused) > 0 {
		if err == nil || !strings.Contains(err.Error(), refused[0].Message) {
			t.Errorf("load: %v, want: … %s …", err, refused[0].Message)
		}
	} else {
		if err != nil {
			t.Errorf("load: %v", err)
		}
		byPsql := newDB(t, v.there)
		psqlLoad(t, v.there, byPsql, stream)
		for how, db := range map[string]string{"natively": natively, "by psql": byPsql} {
			if !bytes.Equal(again, dumpDB(t, v.there, db)) {
				t.Errorf("%s: not the same as a statement at a time", how)
			}
		}
	}
	if common {
		v.compare(t, script, dumpDB(t, v.there, twin), again)
	}
}

// byStatement loads a dump a statement at a time, goes on where the server refuses one, and returns
// what it said.
func (v crossing) byStatement(t *testing.T, name, db string, stream []byte) (refused []*pgconn.PgError) {
	cc, err := server.ParseConfig(v.there.DSN(db), "", "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := server.Connect(t.Context(), cc, db, server.ForLoading(0))
	if err != nil {
		t.Fatal(err)
	}
	var missing []string // what refused statements would have made
	defer server.HangUp(conn)
	run := func(item script.Item) (err error) {
		if item.Kind == script.Copy {
			_, err = conn.PgConn().CopyFrom(t.Context(), item.Data, item.Text)
			return err
		}
		return server.Exec(t.Context(), conn.PgConn(), item.Text)
	}
	items(t, stream, func(item script.Item) {
		if item.Kind == script.Comment {
			return
		}
		err := run(item)
		var said *pgconn.PgError
		if err != nil && !errors.As(err, &said) {
			t.Fatal(err)
		}
		if said == nil {
			return
		}
		refused = append(refused, said)
		goes := func() {
			if made := created.FindStringSubmatch(item.Text); made != nil {
				missing = append(missing, unquoted(made[1]))
			}
		}
		if strings.Contains(said.Message, "does not exist") && slices.ContainsFunc(missing, func(name string) bool { return strings.Contains(unquoted(said.Message), name) }) {
			goes()
			return
		}
		i := slices.IndexFunc(refusals, func(r refusal) bool {
			return v.from > r.to && v.to <= r.to && matches("^("+r.script+")$", name) && matches(r.statement, item.Text) && matches(r.words, said.Message)
		})
		if i < 0 {
			t.Errorf("refused: %s: %q", said.Message, item.Text)
			return
		}
		v.used.refusal(i)
		if refusals[i].without == "" {
			goes()
			return
		}
		item.Text = regexp.MustCompile(refusals[i].without).ReplaceAllString(item.Text, "")
		if err := run(item); err != nil {
			t.Errorf("without what is not known: %v", err)
		}
	})
	return refused
}

// items calls f with each item of a dump.
func items(t *testing.T, stream []byte, f func(script.Item)) {
	t.Helper()
	for r := script.NewReader(bytes.NewReader(stream)); ; {
		item, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(item)
		if item.Data != nil {
			if _, err := io.Copy(io.Discard, item.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func manifest(t *testing.T, stream []byte) map[string]dump.Table {
	t.Helper()
	tables := map[string]dump.Table{}
	items(t, stream, func(item script.Item) {
		if item.Kind != script.Comment {
			return
		}
		table, ok, err := dump.ParseTable(item.Text)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			tables[table.Name] = table
		}
	})
	if len(tables) == 0 {
		t.Fatal("a dump without a manifest")
	}
	return tables
}

// compare holds the statements of the dumps of the twin and of what was restored against each
// other.
func (v crossing) compare(t *testing.T, name string, twin, restored []byte) {
	t.Helper()
	statements := func(stream []byte) map[string]bool {
		all := map[string]bool{}
		items(t, stream, func(item script.Item) {
			if item.Kind != script.Comment {
				all[item.Text] = true
			}
		})
		return all
	}
	want, got := statements(twin), statements(restored)
	differs := func(which, text string) {
		i := slices.IndexFunc(differences, func(d difference) bool {
			return d.between(v.from, v.to) && matches("^("+d.script+")$", name) && matches(d.statement, text)
		})
		if i < 0 {
			t.Errorf("%s: %q", which, text)
			return
		}
		v.used.difference(i)
	}
	for text := range want {
		if !got[text] {
			differs("only if made there", text)
		}
	}
	for text := range got {
		if !want[text] {
			differs("only if restored there", text)
		}
	}
}

var refusals = []refusal{
	{13, "hostile|objects|types", `^CREATE TYPE .* AS RANGE`, `type attribute "multirange_type_name" not recognized`, `,\n    multirange_type_name = ` + name},
	{15, "hostile|kinds", `^CREATE SUBSCRIPTION `, `unrecognized subscription parameter: "streaming"|streaming requires a Boolean value`, `, streaming = parallel`}, // the default of 18
	{13, "hostile|objects|words", `^CREATE FUNCTION .*\n(BEGIN ATOMIC|RETURN )`, `syntax error at or near "(BEGIN|RETURN)"`, ""},
	{13, "kinds", `^CREATE STATISTICS k\.exprs `, `only simple column references are allowed in CREATE STATISTICS`, ""},
	{13, "kinds", `^REVOKE ALL ON FUNCTION public\.postgres_fdw_disconnect_all`, `does not exist`, ""}, // the extension is older too
	{13, "objects", `SET COMPRESSION pglz;$`, `syntax error at or near "COMPRESSION"`, ""},
	{13, "types", `^CREATE TABLE t\.every `, `type "datemultirange" does not exist`, ""},
	{14, "versions", `^CREATE TABLE v\.(nulls|part_of_key) `, `NUMERIC scale -2 must be between 0 and precision 3`, ""},
	{14, "versions", `NULLS NOT DISTINCT`, `syntax error at or near "NULLS"`, ""},
	{14, "versions", `ON DELETE SET NULL \(b\);$`, `syntax error at or near "\("`, ""},
	{14, "versions", `^ALTER PUBLICATION v_rows ADD TABLE .* \(b, c, d\) WHERE`, `syntax error at or near "\("`, ""},
	{14, "versions", `^ALTER PUBLICATION v_schema ADD TABLES IN SCHEMA`, `syntax error at or near "TABLES"`, ""},
	{14, "versions", `^ALTER TABLE v\.(un)?logged_identity `, `syntax error at or near "(UN)?LOGGED"`, `\n    (UN)?LOGGED`},
	{15, "versions", `^CREATE COLLATION v\.ruled `, `collation attribute "rules" not recognized`, ""},
	{15, "versions", `^CREATE SUBSCRIPTION v_sub `, `unrecognized subscription parameter: "(password_required|streaming)"|streaming requires a Boolean value`, ""},
	{15, "versions", `^CREATE TABLE v\.own_expression `, `child column "b" specifies generation expression`, ""},
	{16, "versions", `^CREATE COLLATION v\.built_in `, `unrecognized collation provider: builtin`, ""},
	{16, "versions", `^GRANT MAINTAIN `, `unrecognized privilege type "maintain"`, ""},
	{17, "versions", `^CREATE TABLE v\.named .* NOT NULL NO INHERIT`, `syntax error at or near "NO"`, ""},
	{17, "versions", `^CREATE TABLE v\.(named_child|valid_child|late_child) .* CONSTRAINT \w+ NOT NULL`, `syntax error at or near "NOT"`, ""},
	{17, "versions", `^ALTER TABLE v\.named ADD CONSTRAINT later NOT NULL`, `syntax error at or near "NOT"`, ""},
	{17, "versions", `^CREATE TABLE v\.virtual .* VIRTUAL`, `syntax error at or near "VIRTUAL"`, ""},
	{17, "versions", `WITHOUT OVERLAPS`, `syntax error at or near "WITHOUT"`, ""},
	{17, "versions", `PERIOD during`, `syntax error at or near "during"`, ""},
	{17, "versions", `NOT ENFORCED;$`, `syntax error at or near "ENFORCED"`, ""},
	{17, "versions", `^CREATE PUBLICATION v_generated `, `unrecognized publication parameter: "publish_generated_columns"`, ""},
	{17, "versions", `^ALTER DEFAULT PRIVILEGES .* ON LARGE OBJECTS`, `syntax error at or near "LARGE"`, ""},
}

// name is a qualified name in a statement.
const name = `(?:(?:"(?:[^"]|"")*"|\w+)\.)?(?:"(?:[^"]|"")*"|\w+)`

var created = regexp.MustCompile(`^CREATE (?:[A-Z]+ )+(` + name + `)`)

var differences = []difference{
	// A partition's NOT NULL has the name of its parent's where they were made together.
	{across: 18, script: "objects", statement: `^CREATE TABLE shop\.orders_\w+ \(`},
	{across: 18, since: 17, script: "versions", statement: `^CREATE TABLE v\.identified_1 \(`},
	// Older servers do not know whether a child's NOT NULL is its own too.
	{across: 18, script: "objects", statement: `^CREATE TABLE inh\.(adopted|"the next table in the order of its columns 2") \(\n    b text`},
	// From 18 on it is the standard; older servers know it, and are told so.
	{across: 18, since: 16, script: "hostile|kinds", statement: `^CREATE SUBSCRIPTION .* WITH \(connect = false, slot_name = NONE(, streaming = parallel)?\);$`},
	// From 15 on it is the standard, and a dump of an older server says what is other than that.
	{across: 15, script: "objects", statement: `^GRANT CREATE ON SCHEMA public TO PUBLIC;$`},
}

// unquoted is a statement or a message with its names as if they needed no quotes.
func unquoted(text string) string { return strings.ReplaceAll(text, `"`, "") }

func matches(pattern, text string) bool {
	return regexp.MustCompile(`(?s)` + pattern).MatchString(text)
}

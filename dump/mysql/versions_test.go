package mysql

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// This variable names a folder through which servers of several versions, which run one after the other, hand dumps to
// each other. Unset: the server gets its own alone.
const streamsVar = "BREAKING_BACKUPS_TEST_STREAMS"

// A refusal is a statement of one server's dump that another of its family does not take.
type refusal struct {
	from, to, script string // patterns: what servers are named by, and what scripts are
	words            string // in what the server says
}

var refusals = []refusal{}

// A difference is a statement that is in one of two dumps that a server makes of the same: of what was filled there
// and of what came from another server.
type difference struct {
	from, to, script, statement string // patterns
}

var differences = []difference{}

// TestVersions puts dumps of what the conformance's databases hold into the folder, and takes the dumps that others
// put there: every table has the same rows here, and what was made of it here is what this server itself makes of the
// scripts. Between MySQL and MariaDB nothing goes over, which is said before anything is changed.
func TestVersions(t *testing.T) {
	my := testServer(t)
	streams := os.Getenv(streamsVar)
	if streams == "" {
		streams = t.TempDir()
	}
	to := string(my.family) + " " + regexp.MustCompile(`^\d+\.\d+`).FindString(my.Query(t, "", "SELECT VERSION()"))
	if err := os.MkdirAll(filepath.Join(streams, to), 0o755); err != nil {
		t.Fatal(err)
	}
	twins := map[string][]byte{}
	for _, c := range my.cases(t) {
		db := my.CreateDB(t)
		c.Fill(t, db)
		twins[c.Name] = my.dump(t, Config{Databases: []string{db}})
		if err := os.WriteFile(filepath.Join(streams, to, c.Name+".sql"), twins[c.Name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(streams, "*", "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		from, name := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(from+" to "+to+"/"+name, func(t *testing.T) {
			stream := readFile(t, file)
			if !strings.HasPrefix(from, string(my.family)+" ") {
				if err := my.load(t, LoadConfig{Database: my.CreateDB(t)}, stream); !errors.Is(err, ErrOtherFamily) {
					t.Errorf("load: %v, want: %v", err, ErrOtherFamily)
				}
				return
			}
			my.cross(t, from, to, name, twins[name], stream)
		})
	}
}

func (my *testMySQL) cross(t *testing.T, from, to, name string, twin, stream []byte) {
	byClient, natively := my.CreateDB(t), my.CreateDB(t)
	// The client goes on after an error.
	cmd := my.Command(my.Client, "--comments", "--max-allowed-packet=1G", "--force", "--database="+byClient)
	cmd.Stdin = bytes.NewReader(stream)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	refused := regexp.MustCompile(`(?m)^ERROR .*$`).FindAllString(stderr.String(), -1)
	for _, r := range refusals {
		if !matches(r.from, from) || !matches(r.to, to) || !matches(r.script, name) {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(refused), func(said string) bool { return strings.Contains(said, r.words) })
		if len(left) == len(refused) {
			t.Errorf("not refused: … %s …", r.words)
		}
		refused = left
	}
	for _, said := range refused {
		t.Errorf("refused: %s", said)
	}
	again := my.dump(t, Config{Databases: []string{byClient}})
	_, tables := parts(t, stream)
	_, got := parts(t, again)
	for table, entry := range tables {
		if there, ok := got[table]; ok && there != entry || !ok && exit == nil {
			t.Errorf("table %s: %+v, want %+v", table, there, entry)
		}
	}
	if err := my.load(t, LoadConfig{Database: natively}, stream); (err == nil) != (exit == nil) {
		t.Errorf("load: %v; the client: %s", err, stderr.Bytes())
	}
	if exit != nil {
		return
	}
	if !bytes.Equal(again, my.dump(t, Config{Databases: []string{natively}})) {
		t.Error("this program's restore is not the client's")
	}
	want, _ := parts(t, usual(twin))
	have, _ := parts(t, usual(again))
	known := func(statement string) bool {
		return slices.ContainsFunc(differences, func(d difference) bool {
			return matches(d.from, from) && matches(d.to, to) && matches(d.script, name) && matches(d.statement, statement)
		})
	}
	if diff := cmp.Diff(slices.DeleteFunc(want, known), slices.DeleteFunc(have, known)); diff != "" {
		t.Errorf("what was restored is not what was made here (-here +restored):\n%s", diff)
	}
}

// usual hides which collation is a character set's usual one, which a server does not tell from one that was asked for:
// MariaDB has others since 11.5.
func usual(stream []byte) []byte {
	return regexp.MustCompile(`\b(ucs2|utf8mb3|utf8mb4|utf16|utf32)_(general|uca1400_ai)_ci\b`).ReplaceAll(stream, []byte("${1}_usual_ci"))
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`(?s)^(` + pattern + `)$`).MatchString(text)
}

var mode = regexp.MustCompile(`sql_mode = '([^']*)'`)

// parts are the statements of a dump, but for rows, and the tables of its manifest.
func parts(t *testing.T, stream []byte) (statements []string, tables map[string]dump.Table) {
	t.Helper()
	tables = map[string]dump.Table{}
	for r := script.NewReader(bytes.NewReader(stream), 0); ; {
		item, err := r.Next()
		if err == io.EOF {
			if len(tables) == 0 {
				t.Fatal("a dump without a manifest")
			}
			return statements, tables
		}
		if err != nil {
			t.Fatal(err)
		}
		text := string(item.Text)
		if item.Kind == script.Statement {
			if value := mode.FindStringSubmatch(text); item.SetsMode && value != nil {
				r.SetMode(script.SQLMode(value[1]))
			}
			if !strings.HasPrefix(text, "INSERT ") {
				statements = append(statements, text)
			}
			continue
		}
		table, ok, err := dump.ParseTable(text)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			tables[table.Name] = table
		}
	}
}

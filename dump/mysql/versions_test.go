package mysql

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// This variable names a folder through which servers of several versions, which run one after the
// other, hand dumps to each other. Unset: the server gets its own alone.
const streamsVar = "BREAKING_BACKUPS_TEST_STREAMS"

// TestVersions puts dumps of what the conformance's databases hold into the folder, and takes the
// dumps that others put there: every table has the same rows here, and what was made of it here is
// what this server itself makes of the scripts. Between MySQL and MariaDB nothing goes over, which
// is said before anything is changed.
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
			my.cross(t, twins[name], stream)
		})
	}
}

// cross loads a stream of another server of the family. The twin is this server's dump of the same.
func (my *testMySQL) cross(t *testing.T, twin, stream []byte) {
	byClient, natively := my.CreateDB(t), my.CreateDB(t)
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	_, tables := parts(t, stream)
	want, _ := parts(t, usual(twin))
	for how, db := range map[string]string{"by the client": byClient, "natively": natively} {
		again := my.dump(t, Config{Databases: []string{db}})
		if _, got := parts(t, again); !maps.Equal(tables, got) {
			t.Errorf("%s: tables\n%v\nwant\n%v", how, got, tables)
		}
		got, _ := parts(t, usual(again))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: what was restored is not what was made here (-here +restored):\n%s", how, diff)
		}
	}
}

// usual hides which collation is a character set's usual one, which a server does not tell from one
// that was asked for: MariaDB has others since 11.5.
func usual(stream []byte) []byte {
	return regexp.MustCompile(`\b(ucs2|utf8mb3|utf8mb4|utf16|utf32)_(general|uca1400_ai)_ci\b`).ReplaceAll(stream, []byte("${1}_usual_ci"))
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

package mysql

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFidelity holds a dump against mysqldump's: what mysqldump says of a
// database restored from ours is what it says of the original.
func TestFidelity(t *testing.T) {
	my := testServer(t)
	scripts, err := filepath.Glob("testdata/database/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	family := strings.ToLower(string(my.srv.family))
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".sql")
		only, _, _ := strings.Cut(name, "-")
		if only == "mysql" && family != "mysql" || only == "mariadb" && family != "mariadb" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			sql, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			db := my.newDB(t)
			my.client(t, db, sql)
			stream := my.dump(t, Config{Databases: []string{db}})
			if again := my.dump(t, Config{Databases: []string{db}, Jobs: 4}); !bytes.Equal(stream, again) {
				t.Errorf("two dumps of an unchanged database differ:\n%s", cmp.Diff(string(stream), string(again)))
			}
			original := my.mysqldump(t, db)
			same := func(how, restored string) {
				t.Helper()
				if diff := cmp.Diff(strings.Split(original, "\n"), strings.Split(my.mysqldump(t, restored), "\n")); diff != "" {
					t.Errorf("mysqldump tells the database restored %s from the original (-original +restored):\n%s", how, diff)
				}
				if again := my.dump(t, Config{Databases: []string{restored}}); !bytes.Equal(stream, again) {
					t.Errorf("a dump of the database restored %s differs from that of the original:\n%s", how, cmp.Diff(string(stream), string(again)))
				}
			}
			byClient := my.newDB(t)
			my.client(t, byClient, stream)
			same("by client", byClient)
		})
	}
}

// dump returns our dump of a server's databases.
func (my *testMySQL) dump(t *testing.T, cfg Config) []byte {
	t.Helper()
	cfg.Server = my.Server
	cfg.Warn = func(text string) { t.Log("warning:", text) }
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := src.Dump(context.Background(), &buf); err != nil {
		t.Fatal(err)
	}
	if name := os.Getenv("MYSQL_TEST_KEEP"); name != "" {
		os.WriteFile(name, buf.Bytes(), 0o644)
	}
	return buf.Bytes()
}

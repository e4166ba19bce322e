package mysql

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// What users keep in the server's own databases, and what a restore lacks there, is named.
func TestLeftOut(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t))
	var warnings []string
	warn := func(text string) { warnings = append(warnings, text) }
	about := func(words ...string) int {
		n := 0
		for _, w := range warnings {
			for i, word := range words {
				if !strings.Contains(w, word) {
					break
				}
				if i == len(words)-1 {
					n++
				}
			}
		}
		return n
	}
	my.Query(t, "", "CREATE DATABASE app; CREATE TABLE app.t (a INT)")
	my.dump(t, Config{Warn: warn})
	if about("own databases") != 0 {
		t.Errorf("of a server that has nothing there: %q", warnings)
	}
	my.Query(t, "", "CREATE TABLE mysql.mine (a INT); CREATE PROCEDURE sys.ours() SELECT 1; CREATE VIEW sys.theirs AS SELECT 1")
	stream := my.dump(t, Config{Warn: warn})
	if about("own databases", "table mysql.mine", "view sys.theirs", "routine sys.ours") != 1 {
		t.Errorf("warnings %q", warnings)
	}

	// A restore into a server without time zones, of a dump of one with them.
	position := bytes.Index(stream, []byte("-- server "))
	zoned := bytes.Clone(stream[:position])
	zoned = append(zoned, "-- "+note.TimeZones+"\n"...)
	zoned = append(zoned, stream[position:]...)
	warnings = nil
	if err := my.load(t, LoadConfig{Clean: true, Warn: warn}, resealed(t, zoned)); err != nil {
		t.Fatal(err)
	}
	if about("mysql_tzinfo_to_sql") != 1 {
		t.Errorf("warnings %q", warnings)
	}
}

// resealed is a dump that was changed, with the hash of what it is now.
func resealed(t *testing.T, stream []byte) []byte {
	t.Helper()
	const sum = len("0123456789abcdef\n")
	body := stream[:len(stream)-sum]
	return fmt.Appendf(bytes.Clone(body), "%016x\n", dump.RowHash(body))
}

// A table and a column of information_schema that are not on the list are named; of those that are,
// nothing is said.
func TestDescribed(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t))
	conn, err := my.source(t, Config{}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, tt := range []struct{ known, want string }{
		{catalog.Described[conn.Info.Family], ""},
		{strings.NewReplacer(" is_updatable", "", "\t\ttriggers ", "\t\tno_triggers ").Replace(catalog.Described[conn.Info.Family]), "triggers, views.is_updatable"},
	} {
		var warned []string
		c := &catalog.Reader{Conn: conn, Warn: func(text string) { warned = append(warned, text) }}
		if err := c.WarnOfDescribed(t.Context(), tt.known); err != nil {
			t.Fatal(err)
		}
		if tt.want == "" && len(warned) > 0 || tt.want != "" && (len(warned) != 1 || !strings.HasSuffix(warned[0], ": "+tt.want)) {
			t.Errorf("warned of %q, want %q", warned, tt.want)
		}
	}
}

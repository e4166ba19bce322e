package mysql

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// What would hold nothing is no backup: it is an error that names what is there, before a byte is
// written.
func TestNothingToDump(t *testing.T) {
	my := newTestMySQL(servers.MariaDB(t))
	my.Query(t, "", "CREATE DATABASE hollow; CREATE DATABASE App; CREATE TABLE App.t (a INT)")
	blind := my.user(t)
	my.Query(t, "", "DROP DATABASE "+strings.TrimPrefix(blind.User, "u_"))
	for name, tt := range map[string]struct {
		cfg   Config
		there []string
	}{
		"a name of another case":             {Config{Databases: []string{"app"}}, []string{"App", "hollow"}},
		"one that is empty":                  {Config{Databases: []string{"hollow"}}, []string{"App"}},
		"a server of which one sees nothing": {Config{Server: blind}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := my.source(t, tt.cfg)
			var b bytes.Buffer
			_, err := s.Survey(t.Context())
			for what, err := range map[string]error{"survey": err, "dump": s.Dump(t.Context(), &b)} {
				var nothing *dump.EmptyError
				if !errors.As(err, &nothing) || !slices.Equal(nothing.There, tt.there) {
					t.Errorf("%s: %v, want an error that there is nothing but %q", what, err, tt.there)
				}
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}

	cfg := Config{Databases: []string{"hollow"}, AllowEmpty: true}
	if survey, err := my.source(t, cfg).Survey(t.Context()); err != nil || !survey.Empty {
		t.Errorf("where it may be empty: %v, %v", survey, err)
	}
	if err := Verify(bytes.NewReader(my.dump(t, cfg))); err != nil {
		t.Error(err)
	}
	if _, err := my.source(t, Config{Databases: []string{"nowhere"}, AllowEmpty: true}).Survey(t.Context()); server.ErrorNumber(err) != server.CodeNoSuchDatabase {
		t.Errorf("a database that is not there is no empty one: %v", err)
	}
}

// A survey names the server's data, and the databases.
func TestSurvey(t *testing.T) {
	my := testServer(t)
	db, other := my.CreateDB(t), my.CreateDB(t)
	for _, name := range []string{db, other} {
		my.Query(t, name, "CREATE PROCEDURE p() SELECT 1")
	}
	survey := func(databases ...string) string {
		t.Helper()
		got, err := my.source(t, Config{Databases: databases}).Survey(t.Context())
		if err != nil || got.Empty {
			t.Errorf("%v, %v", got, err)
		}
		return got.Source
	}
	one, two, all := survey(db), survey(other), survey()
	if my.family == server.MariaDB {
		if one+two+all != "" {
			t.Errorf("MariaDB has nothing that stays and that others do not have, but: %q", one)
		}
		return
	}
	id := my.Query(t, "", "SELECT @@server_uuid")
	if one != id+"/"+db || two != id+"/"+other || all != id || !regexp.MustCompile(`^[A-Za-z0-9._:%/-]+$`).MatchString(one) {
		t.Errorf("%q, %q, %q", one, two, all)
	}
}

// A survey says about how long the dump will be, without waiting for whoever holds a table, and
// without the right to know it nothing.
func TestSurveyOfBytes(t *testing.T) {
	my := testServer(t)
	db, other := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b VARCHAR(1000)); INSERT INTO t (b) VALUES (REPEAT('x', 1000))"+
		strings.Repeat("; INSERT INTO t (b) SELECT b FROM t", 12)+"; ANALYZE TABLE t; CREATE VIEW v AS SELECT * FROM t")
	my.Query(t, other, "CREATE TABLE `odd ``name` (a INT) ENGINE=MyISAM")
	survey := func(databases ...string) int64 {
		t.Helper()
		got, err := my.source(t, Config{Databases: databases}).Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got.Bytes
	}
	length := int64(len(my.dump(t, Config{Databases: []string{db}})))
	one, two, both, all := survey(db), survey(other), survey(db, other), survey()
	if one < length*2/3 || one > length*3/2 || two != 0 || both != one || all < both { // of MyISAM's nobody says anything
		t.Errorf("the dump of %d bytes is surveyed to have %d; %d, %d, %d", length, one, two, both, all)
	}
	holder := my.session(t)
	execute(t, holder, "LOCK TABLES "+db+".t WRITE")
	if got := survey(db, other); got != both {
		t.Errorf("where a table is held it is surveyed to have %d bytes", got)
	}
	enough, _ := my.rights()
	got, err := my.source(t, Config{Server: my.user(t, enough...), Databases: []string{db}}).Survey(t.Context())
	if err != nil || got.Bytes != 0 && got.Bytes != one {
		t.Errorf("an account with few rights: %d bytes, %v", got.Bytes, err)
	}
}

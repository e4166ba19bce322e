package mysql

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// rights are what an account needs to dump a database, and to do so on several connections.
func (my *testMySQL) rights() (dump, several []string) {
	dump = []string{"SELECT, SHOW VIEW, TRIGGER, EVENT ON *.*"} // not EXECUTE: what it lets run is others'
	if my.family == server.MySQL {
		return append(dump, "EXECUTE, SHOW_ROUTINE ON *.*"), []string{"FLUSH_TABLES ON *.*"}
	}
	return dump, []string{"RELOAD ON *.*"}
}

// user makes an account that connects with a password.
func (my *testMySQL) user(t *testing.T, rights ...string) Server {
	t.Helper()
	account := Server{Host: my.Host, Port: my.Port, User: "u_" + my.CreateDB(t), Password: "open 'sesame"}
	name := quote.Literal(account.User) + "@'127.0.0.1'"
	my.Query(t, "", "CREATE USER "+name+" IDENTIFIED BY "+quote.Literal(account.Password))
	t.Cleanup(func() { my.Query(t, "", "DROP USER "+name) })
	for _, r := range rights {
		my.Query(t, "", "GRANT "+r+" TO "+name)
	}
	return account
}

func TestRights(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.client(t, db, readFile(t, "testdata/database/kinds.sql"))
	want := my.dump(t, Config{Databases: []string{db}})
	enough, several := my.rights()

	var warnings []string
	warn := func(text string) { warnings = append(warnings, text) }
	about := func(what string) int {
		return len(slices.DeleteFunc(slices.Clone(warnings), func(w string) bool { return !strings.Contains(w, what) }))
	}
	got := my.dump(t, Config{Server: my.user(t, append(enough, several...)...), Databases: []string{db}, Jobs: 3, Warn: warn})
	if !bytes.Equal(got, want) {
		t.Errorf("the dump of an account with all the rights it needs (-root +account):\n%s", cmp.Diff(lines(string(want)), lines(string(got))))
	}
	if about("connections") != 0 {
		t.Errorf("warnings %q", warnings)
	}

	// Without the right to stop the server for a moment there is one connection, and a word of it.
	warnings = nil
	if got := my.dump(t, Config{Server: my.user(t, enough...), Databases: []string{db}, Jobs: 3, Warn: warn}); !bytes.Equal(got, want) {
		t.Error("another dump on fewer connections")
	}
	if about("1 of 3 connections") != 1 {
		t.Errorf("warnings %q, want one about connections", warnings)
	}

	// Whoever does not see a definition gets an error, not a dump without it.
	blind := my.user(t, "SELECT, SHOW VIEW, TRIGGER, EVENT ON "+quote.Name(db)+".*", "EXECUTE ON "+quote.Name(db)+".*")
	err := my.source(t, Config{Server: blind, Databases: []string{db}}).Dump(t.Context(), io.Discard)
	if !errors.Is(err, catalog.ErrNoBody) {
		t.Errorf("without the right to read routines: %v, want %v", err, catalog.ErrNoBody)
	}
	unseeing := my.user(t, "SELECT ON "+quote.Name(db)+".*")
	if err := my.source(t, Config{Server: unseeing, Databases: []string{db}}).Dump(t.Context(), io.Discard); err == nil {
		t.Error("without the right to read views: no error")
	}
}

// What an account may not see, and is not told of, is named with what ends it.
func TestUnseen(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.client(t, db, []byte("CREATE TABLE t (a INT PRIMARY KEY, b INT); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1; CREATE PROCEDURE p() SELECT 1;"))
	all := quote.Name(db) + ".*"
	routines := map[server.Family]string{server.MySQL: "GRANT SHOW_ROUTINE ON *.* TO", server.MariaDB: "GRANT SELECT ON `mysql`.`proc` TO"}[my.family]
	for name, tt := range map[string]struct {
		grants []string
		want   []string // in the one warning; none: there is none
	}{
		"rows alone":     {[]string{"SELECT, SHOW VIEW ON " + all}, []string{"triggers, events, functions and procedures", "GRANT TRIGGER, EVENT ON " + all + " TO `u_", routines}},
		"no events":      {[]string{"SELECT, TRIGGER, EXECUTE ON " + all}, []string{" all events:", "GRANT EVENT ON " + all}},
		"a table":        {[]string{"SELECT, TRIGGER ON " + quote.Name(db) + ".t", "EVENT, EXECUTE ON " + all}, []string{" all tables and views, triggers:", "GRANT SELECT, TRIGGER ON " + all}},
		"all of it":      {[]string{"SELECT, TRIGGER, EVENT, EXECUTE ON " + all}, nil},
		"by a pattern":   {[]string{"SELECT, TRIGGER, EVENT, EXECUTE ON `" + strings.ReplaceAll(db[:len(db)-1], "_", `\_`) + "%`.*"}, nil},
		"of all of them": {[]string{"SELECT, TRIGGER, EVENT ON *.*"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var warnings []string
			s := my.source(t, Config{Server: my.user(t, tt.grants...), Databases: []string{db}, Jobs: 1, Warn: func(text string) { warnings = append(warnings, text) }})
			if err := s.Dump(t.Context(), io.Discard); err != nil && !errors.Is(err, catalog.ErrNoBody) {
				t.Fatal(err)
			}
			if len(tt.want) == 0 != (len(warnings) == 0) || len(warnings) > 1 {
				t.Fatalf("warnings %q, want one of %q", warnings, tt.want)
			}
			for _, text := range tt.want {
				if !strings.Contains(warnings[0], text) {
					t.Errorf("warning %s, want in it: %s", warnings[0], text)
				}
			}
		})
	}
}

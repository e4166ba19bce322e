package script

import "testing"

func TestUnqualified(t *testing.T) {
	of := func(name string) (bool, bool) { return name == "t" || name == "both", name != "both" }
	for _, tt := range []struct {
		sql, want   string
		mode        Mode
		found, sure bool
	}{
		{sql: "begin insert into db.log select * from `db` . t; call db.p(); end", want: "begin insert into N.log select * from N.t; call N.p(); end", found: true, sure: true},
		{sql: "select 'db.t', \"db.t\", x.db.t, @db.t, db2.t, xdb.t /* db.t */ from t -- db.t\n # db.t", want: "", sure: true},
		{sql: "select db.t.a from db.t", want: "select N.t.a from N.t", found: true, sure: true},
		{sql: "select * from db.order, db.`rank`; select db.format(1)", want: "select * from N.order, N.`rank`; select N.format(1)", found: true, sure: true},
		{sql: `select "db".t, 'it\'s db.t'`, want: `select N.t, 'it\'s db.t'`, mode: ANSIQuotes, found: true, sure: true},
		{sql: "create definer=`db`@`%` procedure p() call db.q()", want: "create definer=`db`@`%` procedure p() call N.q()", found: true, sure: true},
		{sql: "/*!50003 call db.p() */", want: "/*!50003 call N.p() */", found: true, sure: true},
		{sql: "grant select on db.* to x", want: "grant select on N.* to x", found: true, sure: true},
		// A table, an alias, a variable or a program of that name.
		{sql: "select db.id, db.* from db", want: "", sure: true},
		{sql: "select db.a from db.t db", want: "select db.a from N.t db", found: true, sure: true},
		{sql: "select `db`./* x */`db` from db.t", want: "select `db`./* x */`db` from N.t", found: true, sure: true},
		{sql: "select db.id from db.db", want: "", sure: true},
		{sql: "create procedure db() call db.p()", want: "create procedure db() call N.p()", found: true, sure: true},
		{sql: "insert into db.x select db.a from db; select * from db.x", want: "insert into N.x select db.a from db; select * from N.x", found: true, sure: true},
		{sql: "insert into db set a = 1 on duplicate key update db.a = 2", want: "", sure: true},
		{sql: "select db.both from db", want: "select N.both from db", found: true},
		{sql: "select db from t", want: "", sure: true},
		{sql: "select 'db.t", want: "", sure: true},
		{sql: "select `db", want: "", sure: true},
		{sql: "db.", want: "N.", found: true, sure: true},
	} {
		want := tt.want
		if want == "" && !tt.found {
			want = tt.sql
		}
		if got, found, sure := Requalified(tt.sql, "db", "N.", tt.mode, of); got != want || found != tt.found || sure != tt.sure {
			t.Errorf("%s\nis  %s, %t, %t\nnot %s, %t, %t", tt.sql, got, found, sure, want, tt.found, tt.sure)
		}
	}
	if got, _, _ := Requalified("select * from db.order join db . `rank`", "db", "", 0, of); got != "select * from `order` join `rank`" {
		t.Errorf("with nothing instead: %s", got)
	}
}

// FuzzUnqualified holds that nothing but the database's name and dots is taken out: with these put
// there it is as it was.
func FuzzUnqualified(f *testing.F) {
	f.Add("select db.t from `db`.t, x.db.t /* db. */ where '\\'db.'", byte(0))
	f.Fuzz(func(t *testing.T, sql string, mode byte) {
		text, found, _ := Requalified(sql, "db", "db.", Mode(mode&15), func(string) (bool, bool) { return true, true })
		if !found && text != sql || len(text) > len(sql) {
			t.Errorf("%q became %q", sql, text)
		}
	})
}

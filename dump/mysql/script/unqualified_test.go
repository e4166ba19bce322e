package script

import "testing"

func TestUnqualified(t *testing.T) {
	for _, tt := range []struct {
		sql, want   string
		mode        Mode
		found, sure bool
	}{
		{sql: "begin insert into db.log select * from `db` . t; call db.p(); end", want: "begin insert into log select * from t; call p(); end", found: true, sure: true},
		{sql: "select 'db.t', \"db.t\", x.db.t, @db.t, db2.t, xdb.t /* db.t */ from t -- db.t\n # db.t", want: "", sure: true},
		{sql: "select db.t.a from db.t", want: "select t.a from t", found: true, sure: true},
		{sql: "select `db`./* x */`db` from db.t", want: "select `db` from t", found: true, sure: true},
		{sql: `select "db".t, 'it\'s db.t'`, want: `select t, 'it\'s db.t'`, mode: ANSIQuotes, found: true, sure: true},
		{sql: "create definer=`db`@`%` procedure p() call db.q()", want: "create definer=`db`@`%` procedure p() call q()", found: true, sure: true},
		{sql: "select db.a from db.t db", want: "select a from t db", found: true},
		{sql: "select db.* from db.t", want: "select * from t", found: true},
		{sql: "select db from t", want: "", sure: true},
		{sql: "/*!50003 call db.p() */", want: "/*!50003 call p() */", found: true, sure: true},
		{sql: "select 'db.t", want: "", sure: true},
		{sql: "select `db", want: "", sure: true},
		{sql: "db.", want: "", found: true, sure: true},
	} {
		want := tt.want
		if want == "" && !tt.found {
			want = tt.sql
		}
		if got, found, sure := Unqualified(tt.sql, "db", tt.mode); got != want || found != tt.found || sure != tt.sure {
			t.Errorf("%s\nis  %s, %t, %t\nnot %s, %t, %t", tt.sql, got, found, sure, want, tt.found, tt.sure)
		}
	}
}

// FuzzUnqualified holds that what is taken out is the database's name and dots, and that nothing is left to take out.
func FuzzUnqualified(f *testing.F) {
	f.Add("select db.t from `db`.t, x.db.t /* db. */ where '\\'db.'", byte(0))
	f.Fuzz(func(t *testing.T, sql string, mode byte) {
		text, found, _ := Unqualified(sql, "db", Mode(mode&15))
		if !found && text != sql || len(text) > len(sql) {
			t.Errorf("%q became %q", sql, text)
		}
	})
}

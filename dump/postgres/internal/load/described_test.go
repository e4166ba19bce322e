package load

import "testing"

func TestDescribed(t *testing.T) {
	for sql, want := range map[string]string{
		"COPY public.\"Or.d\"\"er\" (a, b) FROM stdin;":                                      `the rows of table public."Or.d""er"`,
		"CREATE TABLE s.t (a integer);":                                                      "table s.t",
		"CREATE UNLOGGED TABLE s.\"T é\" ();":                                                `table s."T é"`,
		"CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;":                         "extension postgis",
		"CREATE UNIQUE INDEX i ON ONLY s.t USING btree (a);":                                 "index i of table s.t",
		"CREATE TRIGGER \"on\" BEFORE INSERT OR UPDATE OF a ON s.t FOR EACH ROW EXECUTE …;":  `trigger "on" of table s.t`,
		"CREATE CONSTRAINT TRIGGER x AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f();": "trigger x of table s.t",
		"CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION f();":                  "event trigger x",
		"CREATE POLICY p ON s.t TO r;":                                                       "policy p of table s.t",
		"CREATE MATERIALIZED VIEW s.m AS SELECT 1;":                                          "materialized view s.m",
		"CREATE OR REPLACE FUNCTION s.f(a integer) RETURNS integer AS '';":                   "function s.f",
		"CREATE OPERATOR CLASS s.o FOR TYPE integer USING btree AS STORAGE integer;":         "CREATE OPERATOR CLASS s.o FOR TYPE integer USING btree AS STORAGE integer;",
		"CREATE CAST (s.a AS s.b) WITHOUT FUNCTION;":                                         "CREATE CAST (s.a AS s.b) WITHOUT FUNCTION;",
		"CREATE USER MAPPING FOR a SERVER b OPTIONS (password 'secret');":                    "CREATE USER MAPPING FOR a SERVER b OPTIONS (password …",
		"ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.u(a);":      "foreign key f of table s.t",
		"ALTER TABLE ONLY s.t\n    ADD CONSTRAINT \"P\" PRIMARY KEY (a);":                    `primary key "P" of table s.t`,
		"ALTER TABLE s.t ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID;":                        "check c of table s.t",
		"ALTER TABLE s.t OWNER TO x;":                                                        "ALTER TABLE s.t OWNER TO x;",
		"REFRESH MATERIALIZED VIEW s.m;":                                                     "the rows of materialized view s.m",
		"GRANT SELECT ON TABLE s.t TO x;":                                                    "GRANT SELECT ON TABLE s.t TO x;",
		"CREATE TABLE U&\"s\".t ();":                                                         "CREATE TABLE U&\"s\".t ();",
		"CREATE":                                                                             "CREATE",
		"":                                                                                   "",
	} {
		if got := described(sql); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

package part

import (
	"slices"
	"strings"
	"testing"
)

// What the statement refers to is found wherever the server writes it, and nothing else is.
func TestReferences(t *testing.T) {
	for sql, want := range map[string]string{
		`CREATE TABLE app.t (a lib.mood[] DEFAULT '{}'::lib.mood[], b "L.ib"."Do""main")`:              `app.t lib.mood lib.mood "L.ib"."Do""main"`,
		`ALTER TABLE ONLY app.t ALTER COLUMN id SET DEFAULT nextval('app."s.q"'::regclass);`:           `app.t app."s.q"`,
		`SELECT pg_catalog.setval('app.s', 2, true);`:                                                  `pg_catalog.setval app.s`,
		`to_tsvector('k.config'::pg_catalog.regconfig, 'k.body')`:                                      `k.config pg_catalog.regconfig`,
		`SELECT 'app.f(integer)'::regprocedure, 'app.t[]'::regtype, 'app.g: new'::regtype`:             `app.f app.t`,
		`SELECT 'app.x'::registry.label, 'app.y'::regclass.label`:                                      `registry.label regclass.label`,
		`nextval(E'app."a\\b''"'::regclass)`:                                                           `app."a\b'"`,
		`ALTER SEQUENCE app.s OWNED BY app.t.id;`:                                                      `app.s app.t`,
		`((a OPERATOR(lib.<<) b))`:                                                                     `lib.<<`,
		`CREATE OPERATOR k.!== (FUNCTION = k.lt, NEGATOR = OPERATOR(k.==));`:                           `k.!== k.lt k.==`,
		`SELECT 'app.t', E'app.\'t', "app.t", $$app.t$$, $a$app.t$a$ -- app.t` + "\n/* app.t /* */ */": ``,
		`x.y.z 1.5 1..2 a . b`:                         `x.y a.b`,
		`CREATE FUNCTION f() LANGUAGE plperl AS 'a.b'`: `plperl`,
		`"unfinished`:                                  ``, `'unfinished`: ``, `$a$unfinished`: ``, `/* unfinished`: ``, `a.`: `a.`, ``: ``,
	} {
		refs, _ := references(sql)
		var got []string
		for _, r := range refs {
			if r.name.schema != "" && r.name.name != "" && strings.ContainsAny(r.name.name, "<=!") {
				got = append(got, r.name.schema+"."+r.name.name)
				continue
			}
			got = append(got, strings.TrimSuffix(r.name.String(), `""`))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s\nrefers to %s, want %s", sql, s, want)
		}
	}
}

// A function's body refers to what it names, in a statement too that it has in a string.
func TestReferencesWithin(t *testing.T) {
	_, within := references(`CREATE FUNCTION app.f() LANGUAGE plpgsql AS $$BEGIN PERFORM lib.g(); EXECUTE 'SELECT ''x'' FROM lib.h()'; END$$`)
	if want := []name{{"lib", "h"}, {"lib", "g"}}; !slices.Equal(within, want) {
		t.Errorf("%v, want %v", within, want)
	}
}

// Tokens are read in their order and lie one behind the other, whatever the text; nothing is
// renamed of a statement that names nothing of the dump's, and describing it does no harm.
func FuzzTokens(f *testing.F) {
	for _, sql := range []string{
		`CREATE TABLE a."b""c" (x int DEFAULT 'y''z'::a.t)`, `E'\'' $x$ $y$ $x$ /* /* */`, `COMMENT ON CONSTRAINT "x" ON DOMAIN a.b IS 'x'`,
		`GRANT SELECT(a) ON TABLE a.b TO c`, `CREATE RULE r AS ON UPDATE TO a.b DO NOTHING`, `ALTER TABLE a.b ATTACH PARTITION a.c DEFAULT`, "\xff.\xfe", `a.b.c.d`,
		`CREATE CAST ((((`, `CREATE INDEX ON`, `ALTER`, `DROP TABLE a.b`, `SELECT pg_catalog.setval(`, `ALTER TABLE a.a ATTACH PARTITION a.a DEFAULT`,
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for _, token := range tokenize(sql) {
			if token.start < end || token.end <= token.start || token.end > len(sql) {
				t.Fatalf("%q: a token from %d to %d behind %d", sql, token.start, token.end, end)
			}
			end = token.end
		}
		rules := &choiceOfAll
		p := New(&Config{Rules: rules, ToSchema: "other", Warn: func(string) {}})
		p.old = "a"
		if got := p.renamed(sql); got != sql {
			t.Errorf("%q became %q", sql, got)
		}
		p.keep(itemOf(sql))
		p.keep(itemOf(sql))
		p.plan()
		p.close()
	})
}

package load

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

func TestPlan(t *testing.T) {
	p := newPlanner()
	p.plan("ALTER TABLE ONLY s.part ATTACH PARTITION s.branch DEFAULT;")
	p.plan("ALTER TABLE ONLY s.branch ATTACH PARTITION s.leaf FOR VALUES IN (1);")
	alone := func(names ...string) (list []touch) {
		for _, n := range names {
			list = append(list, touch{relation: n})
		}
		return list
	}
	for sql, want := range map[string]plan{
		"CREATE INDEX i ON s.t USING btree (a);":                         {kind: builds, touches: []touch{{`"s"."t"`, true}, {`"s"."i"`, false}}},
		"CREATE UNIQUE INDEX \"I\" ON ONLY s.\"T.\"\"x\" USING hash (a)": {kind: builds, touches: []touch{{`"s"."T.""x"`, true}, {`"s"."I"`, false}}},
		"CREATE INDEX i ON s.leaf USING brin (a);": {kind: builds, touches: []touch{
			{`"s"."branch"`, true}, {`"s"."part"`, true}, {`"s"."leaf"`, true}, {`"s"."i"`, false},
		}},
		"CREATE INDEX CONCURRENTLY i ON s.t USING btree (a);":                  {},
		"CREATE INDEX i ON t USING btree (a);":                                 {},
		"CREATE INDEX ON s.t USING btree (a);":                                 {},
		"CREATE TABLE s.t (a integer);":                                        {},
		"CREATE UNIQUE INDEX i ON U&\"s\".t USING btree (a);":                  {},
		"ALTER TABLE ONLY s.t\n    ADD CONSTRAINT k PRIMARY KEY (a);":          {kind: builds, touches: alone(`"s"."t"`, `"s"."k"`)},
		"ALTER TABLE s.t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a);":      {kind: builds, touches: alone(`"s"."t"`, `"s"."k"`)},
		"ALTER TABLE s.t ADD CONSTRAINT k EXCLUDE USING gist (a WITH &&);":     {kind: builds, touches: alone(`"s"."t"`, `"s"."k"`)},
		"ALTER TABLE s.t ADD CONSTRAINT k CHECK ((a > 0)) NOT VALID;":          {},
		"ALTER TABLE s.t ALTER COLUMN a SET DEFAULT 1;":                        {},
		"ALTER TABLE s.t OWNER TO x;":                                          {},
		"ALTER TABLE \"PRIMARY\".\"ADD\" ADD CONSTRAINT \"CHECK\" UNIQUE (a);": {kind: builds, touches: alone(`"PRIMARY"."ADD"`, `"PRIMARY"."CHECK"`)},
		"ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a, \"REFERENCES\") REFERENCES o.u(a, b) ON DELETE SET NULL (a) DEFERRABLE;": {kind: builds, touches: alone(`"s"."t"`, `"o"."u"`)},
		"ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s.leaf(a);": {kind: builds, touches: []touch{
			{`"s"."t"`, false}, {`"s"."branch"`, true}, {`"s"."part"`, true}, {`"s"."leaf"`, false},
		}},
		"ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u(a);": {},
		"ALTER TABLE s.t CLUSTER ON i;":                                     {kind: quick, touches: alone(`"s"."t"`)},
		"ALTER TABLE ONLY s.t REPLICA IDENTITY USING INDEX i;":              {kind: quick, touches: alone(`"s"."t"`)},
		"ALTER INDEX s.i ALTER COLUMN 1 SET STATISTICS 100;":                {kind: quick, touches: alone(`"s"."i"`)},
		"ALTER INDEX s.i ATTACH PARTITION s.j;":                             {},
		"COMMENT ON INDEX s.i IS 'x';":                                      {kind: quick, touches: alone(`"s"."i"`)},
		"COMMENT ON CONSTRAINT k ON s.t IS 'x';":                            {kind: quick, touches: alone(`"s"."t"`)},
		"COMMENT ON CONSTRAINT k ON DOMAIN s.t IS 'x';":                     {},
		"COMMENT ON TABLE s.t IS 'x';":                                      {},
		"SET default_tablespace = \"a b\";":                                 {kind: sets, setting: "default_tablespace"},
		"SET client_encoding = 'LATIN1';":                                   {kind: sets, setting: "client_encoding"},
		"SELECT pg_catalog.set_config('search_path', '', false);":           {kind: sets, setting: "search_path"},
		"SELECT pg_catalog.set_config('idle_session_timeout', '0', false) WHERE pg_catalog.current_setting('idle_session_timeout', true) IS NOT NULL;": {kind: sets, setting: "idle_session_timeout"},
		"SELECT pg_catalog.set_config('idle_session_timeout', '0', false) WHERE pg_catalog.current_setting('a', true) IS NOT NULL;":                    {},
		"SELECT pg_catalog.set_config('idle_session_timeout', '0', false) WHERE public.f('idle_session_timeout') IS NOT NULL;":                         {},
		"SELECT pg_catalog.set_config('search_path', '', true);":                                                                                       {},
		"SELECT pg_catalog.set_config('search_path', public.f(), false);":                                                                              {},
		"SELECT public.f();":                        {},
		"SELECT pg_catalog.setval('s.q', 7, true);": {kind: quick},
		"SELECT pg_catalog.lo_put(1, 0, '\\x" + strings.Repeat("00", planned) + "');": {kind: quick},
		"SET SESSION AUTHORIZATION x;": {kind: apart},
		"SET ROLE x;":                  {kind: apart},
		"SET LOCAL a = 1;":             {kind: apart},
		"SET search_path = a, b;":      {kind: apart},
		"SET my.own = 1;":              {kind: apart},
		"BEGIN;":                       {kind: apart},
		"RESET ALL;":                   {kind: apart},
		"CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS 'CREATE INDEX i ON s.t USING btree (a)';": {},
		"": {},
	} {
		if got := p.plan(sql); !reflect.DeepEqual(got, want) {
			t.Errorf("%.200s\n got %+v\nwant %+v", sql, got, want)
		}
	}
	if got := p.rows("COPY s.leaf (a) FROM stdin;"); got.kind != quick || !slices.Contains(got.touches, touch{relation: `"s"."leaf"`}) || len(got.touches) != 3 {
		t.Errorf("rows: %+v", got)
	}
}

// Whatever a name is, its table is told from others and found again.
func FuzzPlanNames(f *testing.F) {
	for _, name := range []string{"t", "T", `a"b`, "USING", "x.y", ";", "--", "/*", "'", "\n", `\`, "$$", "é", "only"} {
		f.Add(name, "i")
		f.Add("t", name)
	}
	f.Fuzz(func(t *testing.T, table, index string) {
		if table == "" || index == "" || strings.ContainsRune(table+index, 0) {
			return
		}
		p := newPlanner()
		on := server.Ident("s") + "." + server.Ident(table)
		create := p.plan(fmt.Sprintf("CREATE INDEX %s ON %s USING btree (a);", server.Ident(index), on))
		key := p.plan(fmt.Sprintf("ALTER TABLE ONLY %s\n    ADD CONSTRAINT %s PRIMARY KEY (a);", on, server.Ident(index)))
		rows := p.rows(fmt.Sprintf("COPY %s (a) FROM stdin;", on))
		other := p.plan(fmt.Sprintf("CREATE INDEX %s ON %s USING btree (a);", server.Ident(index+"x"), server.Ident("s")+"."+server.Ident(table+"x")))
		if create.kind != builds || key.kind != builds || rows.kind != quick || other.kind != builds {
			t.Fatalf("%q, %q: %v, %v, %v, %v", table, index, create, key, rows, other)
		}
		held := hold{}
		held.add(create.touches)
		if !held.conflict(key.touches) || !held.conflict(rows.touches) {
			t.Errorf("%q, %q: no conflict of an index with the key or the rows of its table", table, index)
		}
		if held.conflict(other.touches) && table+"x" != index && index+"x" != table {
			t.Errorf("%q, %q: a conflict with %v", table, index, other.touches)
		}
	})
}

// What a partition is a part of is known though its bound is long.
func TestLongBoundNamesItsParent(t *testing.T) {
	p := newPlanner()
	p.plan("ALTER TABLE ONLY s.whole ATTACH PARTITION s.leaf FOR VALUES IN ('" + strings.Repeat("x', '", planned) + "');")
	if p.parents[`"s"."leaf"`] != `"s"."whole"` {
		t.Errorf("parents %v", p.parents)
	}
}

// A dump in which a table is a part of itself is read to its end.
func TestPartOfItself(t *testing.T) {
	p := newPlanner()
	for _, sql := range []string{
		"ALTER TABLE ONLY s.a ATTACH PARTITION s.b DEFAULT;",
		"ALTER TABLE ONLY s.b ATTACH PARTITION s.c DEFAULT;",
		"ALTER TABLE ONLY s.c ATTACH PARTITION s.a DEFAULT;",
		"ALTER TABLE ONLY s.d ATTACH PARTITION s.d DEFAULT;",
	} {
		p.plan(sql)
	}
	if got := p.rows("COPY s.c (a) FROM stdin;"); len(got.touches) != 3 {
		t.Errorf("a COPY into c touches %v; want a, b and c", got.touches)
	}
}

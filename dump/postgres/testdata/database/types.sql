-- A column of every type that a table can have, alone, as an array and as an array of arrays; and the values at the edges.
SELECT least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int) >= 14 AS has14 \gset
CREATE SCHEMA t;
DO $$
DECLARE typ record; columns text := ''; version integer := least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int);
BEGIN
	FOR typ IN SELECT t.oid, typname FROM pg_type t WHERE typnamespace = 'pg_catalog'::regnamespace AND (typtype IN ('b', 'r') OR typtype = 'm' AND version >= 14) AND typname !~ '^_'
		AND typinput <> 'shell_in'::regproc AND typname NOT IN ('pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'aclitem')
		ORDER BY typname LOOP
		columns := columns || format(', %I %s', 'c_' || typ.typname, format_type(typ.oid, NULL));
		IF EXISTS (SELECT FROM pg_type WHERE typelem = typ.oid AND typname = '_' || typ.typname) THEN
			columns := columns || format(', %I %s[]', 'a_' || typ.typname, format_type(typ.oid, NULL));
		END IF;
	END LOOP;
	EXECUTE 'CREATE TABLE t.every (id integer PRIMARY KEY' || columns || ')';
END $$;
INSERT INTO t.every (id) VALUES (0);
INSERT INTO t.every (id, c_bool, a_bool, c_bytea, a_bytea, c_char, c_name, c_int8, a_int8, c_int2, c_int4, a_text, c_text, c_json, c_jsonb, c_xml)
VALUES (1, true, '{t,f,NULL}', '\x005c27220a0d09ff', '{"\\x00","\\x5c"}', 'x', 'a name', -9223372036854775808, '[-2:0]={1,2,3}', -32768, 2147483647,
	E'{{"a,b","c\\"d"},{"NULL",NULL}}', E'back\\slash tab\t newline\n cr\r \b\f\x0b \\. \\N "quoted" ''single'' ünïcödé 🐘', '{"a":  [1, {"b": null}],  "a": 2}', '{"\u0041": 1e400}', '<a b="c">&amp;</a>');
INSERT INTO t.every (id, c_float4, a_float4, c_float8, a_float8, c_numeric, a_numeric, c_money, c_date, a_date, c_timestamp, c_timestamptz, a_timestamptz, c_time, c_timetz, c_interval, a_interval)
VALUES (2, 'NaN', '{Infinity,-Infinity,1.17549e-38,3.40282e+38,-0}', '4.9406564584124654e-324', '{NaN,Infinity,-Infinity,1.7976931348623157e308,0.1}', 'NaN',
	'{0,123456789012345678901234567890.123456789012345678901234567890}', '-92233720368547758.08', '4713-01-01 BC', '{infinity,-infinity,5874897-12-31}',
	'4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00', '{infinity,-infinity,"0044-03-15 12:00:00+00 BC"}', '24:00:00', '23:59:59.999999+15:59', '-178000000 years 11 mons -5 days 01:02:03.000004', '{P1Y2M3DT4H5M6S,-00:00:00.000001}');
INSERT INTO t.every (id, c_point, a_point, c_line, c_lseg, c_box, a_box, c_path, c_polygon, c_circle, c_inet, a_inet, c_cidr, c_macaddr, c_macaddr8, c_bit, c_varbit, a_varbit, c_uuid, c_tsvector, c_tsquery, c_pg_lsn, c_txid_snapshot, c_xid8, c_oid, c_tid, c_regclass, c_regtype, c_regprocedure, c_regrole)
VALUES (3, '(1e-300,-Infinity)', '{"(1,2)","(NaN,4)"}', '{1,2,3}', '[(1,2),(3,4)]', '(3,4),(1,2)', '{(1,1),(0,0);(2,2),(1,1)}', '[(0,0),(1,1)]', '((0,0),(0,1),(1,1))', '<(0,0),5>', '::ffff:1.2.3.4/128',
	'{192.168.0.1/24,::1}', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'1', B'10101', '{101,""}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '''a b'':1A ''c\\''''d'':2', '!''a'' & (''b'':*A | ''c'') <3> ''d''',
	'16/B374D848', '10:20:10,14,15', '18446744073709551615', 4294967295, '(4294967295,65535)', 'pg_class', 'integer[]', 'lower(text)', 'postgres');
INSERT INTO t.every (id, c_int4range, a_int4range, c_numrange, c_tsrange, c_tstzrange, c_daterange, c_int8range)
VALUES (4, 'empty', '{"[1,5)","(,3)",empty}', '(,1.5]', '["2024-01-01 00:00","infinity")', '[,]', '[-infinity,2024-01-01)', '[1,)');
INSERT INTO t.every (id, c_bpchar, c_varchar, c_cid, c_xid, c_int2vector, c_oidvector, c_jsonpath, c_pg_snapshot, c_refcursor, c_regcollation, c_regconfig, c_regdictionary, c_regnamespace, c_regoper, c_regoperator, c_regproc)
VALUES (5, ' ', '\N', '4294967295', '4294967295', '1 -2 3', '1 4294967295', '$."a b"[*] ? (@ > 1 && @.c like_regex "^\\d")', '10:20:10,14,15', 'a cursor', '"C"', 'english', 'simple', 'pg_catalog', '||/', '*(integer,integer)', 'now');
INSERT INTO t.every (id, c_date, c_timestamp, c_timestamptz, c_float4, c_float8, c_numeric, c_int2, c_int4, c_int8, c_money, c_interval, c_time, c_text, c_name)
VALUES (6, '5874897-12-31', 'infinity', '4714-11-24 00:00:00+00 BC', '-Infinity', '-0', '-0.00', 32767, 2147483647, 9223372036854775807, '92233720368547758.07', '178000000 years', '00:00', repeat('ü', 100000), repeat('n', 63)),
	(7, '-infinity', '-infinity', '-infinity', 'Infinity', 'NaN', ('1' || repeat('0', 131071) || '.' || repeat('0', 16382) || '1')::numeric, 0, 0, 0, 0, '0', '12:00', '', '');
\if :has14
UPDATE t.every SET a_numeric = '{Infinity,-Infinity}' || a_numeric WHERE id = 2;
UPDATE t.every SET c_int4multirange = '{[1,2),[5,)}', a_int4multirange = '{"{[1,2)}","{}"}' WHERE id = 4;
UPDATE t.every SET c_datemultirange = '{[2024-01-01,infinity)}', c_int8multirange = '{[-9223372036854775808,9223372036854775807)}', c_nummultirange = '{(,1.5],[NaN,NaN]}',
	c_tsmultirange = '{["4714-11-24 00:00:00 BC",infinity]}', c_tstzmultirange = '{(-infinity,"2024-01-01 00:00:00+00")}' WHERE id = 5;
UPDATE t.every SET c_numeric = '-Infinity' WHERE id = 6;
\endif
-- Arrays of arrays of every type that has values, with NULLs in them, and with bounds of their own.
DO $$
DECLARE name text; type text; delimiter text;
BEGIN
	FOR name, type, delimiter IN SELECT substr(attname, 3), format_type(atttypid, NULL), typdelim FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
		WHERE attrelid = 't.every'::regclass AND attname ~ '^a_' ORDER BY attname LOOP
		EXECUTE format('INSERT INTO t.every (id, %1$I) SELECT 100 + attnum, ARRAY[ARRAY[v, NULL, v], ARRAY[NULL, v, v]] FROM pg_attribute,
			(SELECT %2$I AS v FROM t.every WHERE %2$I::text <> '''' ORDER BY id LIMIT 1) x WHERE attrelid = ''t.every''::regclass AND attname = %1$L', 'a_' || name, 'c_' || name);
		EXECUTE format('INSERT INTO t.every (id, %1$I) SELECT 1000 + attnum, (''[-3:-2][0:0][7:8]={{{'' || v || %3$L || ''NULL}}%3$s{{NULL'' || %3$L || v || ''}}}'')::%4$s FROM pg_attribute,
			(SELECT ''"'' || regexp_replace(%2$I::text, ''(["\\])'', ''\\\1'', ''g'') || ''"'' AS v FROM t.every WHERE %2$I::text <> '''' ORDER BY id LIMIT 1) x WHERE attrelid = ''t.every''::regclass AND attname = %1$L',
			'a_' || name, 'c_' || name, delimiter, type);
	END LOOP;
END $$;
CREATE TYPE t.c AS (a integer, "b ""c" text[], d t.every);
CREATE DOMAIN t.texts AS text[] CHECK (VALUE IS NULL OR array_length(VALUE, 1) < 9);
CREATE DOMAIN t.checked AS t.c CHECK ((VALUE).a IS NULL OR (VALUE).a > 0);
CREATE TABLE t.made (id integer PRIMARY KEY, c t.c, cs t.c[], d t.texts, ds t.texts[], k t.checked, ks t.checked[]);
INSERT INTO t.made VALUES (1, ROW(1, '{"x,y","(z)","\"q\"",NULL}', NULL), ARRAY[ROW(NULL, '{}', (SELECT every FROM t.every WHERE id = 1))::t.c, NULL], '{a,NULL}', NULL, ROW(5, NULL, NULL), ARRAY[ROW(6, '{"\\\\"}', NULL)::t.checked]);
-- Composites in composites, arrays and domains in each other, ranges of what users made.
CREATE DOMAIN t.matrix AS t.texts[];
CREATE TYPE t.e AS ENUM ('', 'a b', 'c,"d"', E'back\\slash', '{}', 'NULL');
CREATE DOMAIN t.es AS t.e[] CHECK (cardinality(VALUE) < 9);
CREATE TYPE t.outer AS (c t.c, cs t.checked[], m t.matrix, e t.es);
\if :has14
CREATE TYPE t.span AS RANGE (subtype = t.e, multirange_type_name = t.spans);
\else
CREATE TYPE t.span AS RANGE (subtype = t.e);
\endif
CREATE TABLE t.nested (id integer PRIMARY KEY, o t.outer, os t.outer[], e t.e[], es t.es, s t.span, ss t.span[]);
INSERT INTO t.nested SELECT 1, o, ARRAY[[o, NULL], [o, o]], ARRAY[['', 'a b'], ['c,"d"', E'back\\slash'], ['{}', 'NULL']]::t.e[], '{NULL,"NULL"}', '["a b","{}"]', '{empty,"(,)"}'
FROM (SELECT ROW(ROW(1, ARRAY['x"y', E'\\', NULL, ''], NULL), ARRAY[ROW(6, '{"\\\\"}', NULL)::t.checked, NULL], '{"{a,NULL}",NULL}'::t.matrix, ARRAY['c,"d"']::t.es)::t.outer AS o) x;
INSERT INTO t.nested (id, es) VALUES (2, '{}');
\if :has14
ALTER TABLE t.nested ADD m t.spans;
UPDATE t.nested SET m = CASE id WHEN 1 THEN '{["a b","c,\"d\""),["NULL",)}' ELSE '{}' END::t.spans;
\endif
CREATE TABLE t.bits (a bit(3), b bit varying(5), c character(7), d character varying(9), e numeric(20, 5), f interval day to second(2), g timestamp(0), h time(3) with time zone, i "char", j name COLLATE "C", k bpchar);
INSERT INTO t.bits VALUES ('101', '1', 'ab', 'cd', 1.00001, '1 day 02:03:04.56', '2024-01-01 12:34:56', '12:34:56.789+05:30', E'\\', 'n', '  padded  ');
DO $$ BEGIN
	EXECUTE 'CREATE TABLE t.wide (' || (SELECT string_agg(format('%I smallint', 'col ' || i), ', ') FROM generate_series(1, 1600) i) || ')';
	EXECUTE 'INSERT INTO t.wide (' || (SELECT string_agg(quote_ident('col ' || i), ', ') FROM generate_series(2, 1600, 3) i) || ') SELECT ' || (SELECT string_agg(i::text, ', ') FROM generate_series(2, 1600, 3) i);
END $$;
CREATE TABLE t.long (id integer PRIMARY KEY, body text, raw bytea);
INSERT INTO t.long SELECT i, repeat(E'line\n\\.\n', (10 ^ i)::integer), decode(repeat('00ff5c0a', (10 ^ i)::integer), 'hex') FROM generate_series(0, 5) i;

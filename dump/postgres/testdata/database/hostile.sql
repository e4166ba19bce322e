-- Every kind of object that bears a name or a text, with names and texts that would do something if they got out of
-- their quotes: psql's commands (a file "never" would appear where psql runs), statements, ends of comments and of COPY.
SET check_function_bodies = off;
CREATE SCHEMA h;
GRANT USAGE ON SCHEMA h TO PUBLIC;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE FUNCTION h.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION h.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION h.handler() RETURNS language_handler LANGUAGE c AS 'plpgsql', 'plpgsql_call_handler';
DO $do$
DECLARE
	names text[] := ARRAY[
		E'a\n\\! touch never\n', E'b\r\n\\! touch never\r', E'c\n\\copy (select 1) to never\n', E'd''; CREATE TABLE never(); --', E'e"; CREATE TABLE never(); --',
		E'f$$; $function$; $procedure$; CREATE TABLE never(); --', E'g*/; CREATE TABLE never(); /* --', E'h :USER :''USER'' :"USER" :{?USER} [:HOST] \\',
		E'i\n\\.\n\\! touch never\n', E'j\n\\c postgres\n\\set ON_ERROR_STOP off\n\\q\n', E'k);\nCOPY t FROM stdin;\n1\n\\.\n\\! touch never\n',
		E'l\t\x0b\f %s %d %% {} \\n \\x27 \\\\ ` \u2028 \u0085 \u202e', E'm\n-- table "x" rows 1 hash 0', E'n'';\n\\! touch never\n\\''', E'o\\"\n\\! touch never\n\\" \\'];
	long text := array_to_string(names, ' ');
	stmts text[];
	stmt text;
	version integer := least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int);
	comment text;
	n text;
BEGIN
	FOREACH n IN ARRAY names LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = n) THEN
			EXECUTE format('CREATE ROLE %I', n);
		END IF;
		-- %1$I and %1$L are the name, %2$L the long text.
		stmts := ARRAY[
			'CREATE SCHEMA %1$I AUTHORIZATION %1$I', 'COMMENT ON SCHEMA %1$I IS %2$L',
			'CREATE TYPE h.%1$I AS ENUM (%1$L, %3$L)', 'COMMENT ON TYPE h.%1$I IS %2$L',
			'CREATE TYPE %1$I.%1$I AS (%1$I text, %4$I text[])',
			'CREATE TYPE h.%4$I AS (%1$I text, x h.%1$I)', 'COMMENT ON COLUMN h.%4$I.%1$I IS %2$L',
			'CREATE TYPE %1$I.%4$I AS RANGE (subtype = text, collation = "C", multirange_type_name = %5$I)',
			'CREATE DOMAIN %1$I.%6$I AS text DEFAULT %2$L CONSTRAINT %1$I CHECK (VALUE <> %1$L)', 'COMMENT ON CONSTRAINT %1$I ON DOMAIN %1$I.%6$I IS %2$L',
			'CREATE COLLATION h.%1$I (provider = icu, locale = ''de'')',
			'CREATE SEQUENCE h.%7$I', 'GRANT USAGE ON SEQUENCE h.%7$I TO %1$I',
			'CREATE TABLE h.%8$I (%1$I text DEFAULT %2$L COLLATE h.%1$I, e h.%1$I DEFAULT %1$L, n integer NOT NULL, g text GENERATED ALWAYS AS (%1$L) STORED, CONSTRAINT %1$I PRIMARY KEY (n), CONSTRAINT %4$I CHECK (%1$I <> %2$L || %2$L))',
			'ALTER TABLE h.%8$I OWNER TO %1$I', 'GRANT SELECT (%1$I) ON h.%8$I TO %1$I WITH GRANT OPTION', 'COMMENT ON TABLE h.%8$I IS %2$L', 'COMMENT ON COLUMN h.%8$I.%1$I IS %1$L',
			'COMMENT ON CONSTRAINT %4$I ON h.%8$I IS %2$L', 'ALTER TABLE h.%8$I ADD CONSTRAINT %5$I FOREIGN KEY (n) REFERENCES h.%8$I',
			'INSERT INTO h.%8$I VALUES (%2$L, %1$L, 1), (%1$L, %3$L, 2), (DEFAULT, DEFAULT, 3)',
			'CREATE TABLE %1$I.parted (%1$I text) PARTITION BY LIST (%1$I)', 'CREATE TABLE %1$I.%5$I PARTITION OF %1$I.parted FOR VALUES IN (%1$L, %2$L)',
			'CREATE INDEX %6$I ON h.%8$I ((%1$I || %2$L)) WHERE %1$I <> %1$L', 'COMMENT ON INDEX h.%6$I IS %2$L', 'ALTER TABLE h.%8$I CLUSTER ON %1$I',
			'CREATE STATISTICS h.%1$I ON %1$I, n FROM h.%8$I', 'COMMENT ON STATISTICS h.%1$I IS %2$L',
			'CREATE VIEW %1$I.%7$I WITH (security_barrier) AS SELECT %1$I AS %3$I, %2$L::text AS %1$I FROM h.%8$I WHERE %1$I <> %2$L', 'COMMENT ON VIEW %1$I.%7$I IS %2$L',
			'CREATE MATERIALIZED VIEW %1$I.%8$I AS SELECT %3$I AS %1$I FROM %1$I.%7$I',
			'CREATE RULE %1$I AS ON DELETE TO h.%8$I DO ALSO NOTIFY %1$I, %2$L', 'COMMENT ON RULE %1$I ON h.%8$I IS %2$L',
			'CREATE TRIGGER %1$I BEFORE INSERT ON h.%8$I FOR EACH ROW WHEN (NEW.%1$I <> %2$L) EXECUTE FUNCTION h.nothing(%1$L, %2$L)', 'COMMENT ON TRIGGER %1$I ON h.%8$I IS %2$L',
			'CREATE POLICY %1$I ON h.%8$I TO %1$I USING (%1$I <> %2$L)', 'COMMENT ON POLICY %1$I ON h.%8$I IS %2$L',
			'CREATE FUNCTION h.%1$I(%1$I text DEFAULT %2$L, OUT %3$I %1$I.%6$I) LANGUAGE plpgsql SET search_path TO %1$I, h SET my.own TO %2$L AS %2$L', 'COMMENT ON FUNCTION h.%1$I(text) IS %2$L',
			'GRANT EXECUTE ON FUNCTION h.%1$I(text) TO %1$I', 'CREATE PROCEDURE %1$I.%1$I(%1$I.%1$I) LANGUAGE sql AS %1$L',
			'CREATE FUNCTION %1$I.body(%1$I text) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT %2$L AS %1$I; SELECT %1$I FROM h.%8$I WHERE body.%1$I <> %1$L; END',
			'CREATE AGGREGATE h.%4$I(%1$I text) (SFUNC = textcat, STYPE = text, INITCOND = %2$L)', 'COMMENT ON AGGREGATE h.%4$I(text) IS %2$L',
			'CREATE OPERATOR %1$I.@@@ (FUNCTION = textcat, LEFTARG = text, RIGHTARG = text)',
			'CREATE OPERATOR FAMILY h.%1$I USING btree', 'CREATE OPERATOR CLASS %1$I.%1$I FOR TYPE %1$I.%1$I USING hash AS STORAGE %1$I.%1$I', 'COMMENT ON OPERATOR CLASS %1$I.%1$I USING hash IS %2$L',
			'CREATE CONVERSION h.%1$I FOR ''LATIN1'' TO ''UTF8'' FROM iso8859_1_to_utf8', 'CREATE ACCESS METHOD %1$I TYPE TABLE HANDLER heap_tableam_handler', 'COMMENT ON ACCESS METHOD %1$I IS %2$L',
			'CREATE LANGUAGE %1$I HANDLER h.handler', 'COMMENT ON LANGUAGE %1$I IS %2$L', 'CREATE FUNCTION h.%5$I() RETURNS text LANGUAGE %1$I AS %2$L',
			'CREATE CAST (%1$I.%1$I AS h.%4$I) WITH INOUT', 'COMMENT ON CAST (%1$I.%1$I AS h.%4$I) IS %2$L',
			'CREATE TEXT SEARCH PARSER h.%1$I (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)', 'CREATE TEXT SEARCH TEMPLATE h.%1$I (LEXIZE = dsimple_lexize)',
			'CREATE TEXT SEARCH DICTIONARY h.%1$I (TEMPLATE = h.%1$I)', 'CREATE TEXT SEARCH CONFIGURATION h.%1$I (PARSER = h.%1$I)',
			'ALTER TEXT SEARCH CONFIGURATION h.%1$I ADD MAPPING FOR word WITH h.%1$I', 'COMMENT ON TEXT SEARCH CONFIGURATION h.%1$I IS %2$L',
			'CREATE FOREIGN DATA WRAPPER %1$I OPTIONS (%1$I %2$L)', 'COMMENT ON FOREIGN DATA WRAPPER %1$I IS %2$L', 'CREATE SERVER %1$I TYPE %1$L VERSION %2$L FOREIGN DATA WRAPPER %1$I OPTIONS (%1$I %2$L)',
			'GRANT USAGE ON FOREIGN SERVER %1$I TO %1$I', 'CREATE USER MAPPING FOR %1$I SERVER %1$I OPTIONS (%1$I %2$L)',
			'CREATE FOREIGN TABLE %1$I.far (%1$I text OPTIONS (%1$I %2$L)) SERVER %1$I OPTIONS (%1$I %2$L)', 'COMMENT ON FOREIGN TABLE %1$I.far IS %2$L',
			'CREATE PUBLICATION %1$I FOR TABLE h.%8$I', 'COMMENT ON PUBLICATION %1$I IS %2$L',
			'CREATE EVENT TRIGGER %1$I ON sql_drop EXECUTE FUNCTION h.on_ddl()', 'COMMENT ON EVENT TRIGGER %1$I IS %2$L', 'ALTER EVENT TRIGGER %1$I DISABLE',
			'ALTER DEFAULT PRIVILEGES FOR ROLE %1$I IN SCHEMA %1$I GRANT SELECT ON TABLES TO %1$I',
			'CREATE SUBSCRIPTION %1$I CONNECTION %9$L PUBLICATION %1$I, %3$I WITH (connect = false, slot_name = NONE, enabled = false)', 'COMMENT ON SUBSCRIPTION %1$I IS %2$L'];
		FOREACH stmt IN ARRAY stmts LOOP
			IF version < 14 THEN
				CONTINUE WHEN stmt ~ 'BEGIN ATOMIC';
				stmt := replace(stmt, ', multirange_type_name = %5$I', '');
			END IF;
			EXECUTE format(stmt, n, long, '3' || n, '4' || n, '5' || n, '6' || n, '7' || n, '8' || n, format('dbname=''%s''', replace(replace(n, '\', '\\'), '''', '\''')));
		END LOOP;
		PERFORM lo_create(50000 + ascii(n));
		EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', 50000 + ascii(n), long);
		PERFORM lo_put(50000 + ascii(n), 0, convert_to(long, 'UTF8'));
	END LOOP;
END
$do$;

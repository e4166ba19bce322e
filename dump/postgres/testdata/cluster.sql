-- Roles, memberships, settings and databases with names and properties that are easy to lose.
SELECT current_setting('server_version_num')::int >= 140000 AS has14, current_setting('server_version_num')::int >= 150000 AS has15 \gset
CREATE ROLE app LOGIN PASSWORD 'secret' CONNECTION LIMIT 7 VALID UNTIL '2099-01-01 00:00:00+00';
CREATE ROLE "We'ird ""R" SUPERUSER NOINHERIT;
CREATE ROLE boss CREATEROLE CREATEDB;
COMMENT ON ROLE boss IS 'it''s the boss';
GRANT app TO boss WITH ADMIN OPTION;
SET ROLE boss;
GRANT app TO "We'ird ""R";
RESET ROLE;
\if :has14
GRANT pg_read_all_data TO app;
\else
GRANT pg_read_all_settings TO app;
\endif
ALTER ROLE app SET search_path TO "$user", public, "a ""b", '';
ALTER ROLE app SET work_mem TO '7MB';
ALTER ROLE ALL SET statement_timeout TO '9h';
\if :has15
GRANT SET ON PARAMETER log_min_messages TO app;
\endif
CREATE DATABASE plain OWNER app;
CREATE DATABASE "odd 'db' \ name" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' CONNECTION LIMIT 5;
CREATE DATABASE tmpl IS_TEMPLATE true;
ALTER DATABASE plain SET search_path TO x, y;
ALTER ROLE app IN DATABASE plain SET work_mem TO '8MB';
COMMENT ON DATABASE plain IS 'plain \ one';
GRANT CREATE ON DATABASE plain TO boss;
REVOKE CONNECT ON DATABASE plain FROM PUBLIC;
CREATE TABLE in_postgres (a integer);
INSERT INTO in_postgres VALUES (1);
\c plain
CREATE TABLE public.t (a text);
INSERT INTO public.t VALUES ('x');
\c "odd 'db' \ name"
SET client_encoding = 'UTF8';
CREATE TABLE "ümlaut" (a text);
INSERT INTO "ümlaut" VALUES ('é');
\c template1
CREATE FUNCTION in_template() RETURNS integer LANGUAGE sql AS 'SELECT 1';
\c postgres
-- A member whose grantor is gone (before 16 the server lets it go).
CREATE ROLE gone SUPERUSER;
SET ROLE gone;
GRANT app TO boss;
RESET ROLE;
SELECT current_setting('server_version_num')::int < 160000 AS before_16 \gset
\if :before_16
DROP ROLE gone;
\endif
COMMENT ON DATABASE postgres IS 'the default one';
-- Names and texts that would do something if they got out of their quotes: the file "never" would appear where psql runs.
DO $do$
DECLARE
	names text[] := ARRAY[E'a\n\\! touch never\n', E'b$role$; CREATE ROLE never; --', E'c''; CREATE ROLE never; --', E'd"; CREATE ROLE never; --', E'e */ :USER :''USER'' $$ \\', E'f\r\\! touch never\r'];
	long text := array_to_string(names, ' ');
	n text;
	s text;
BEGIN
	FOREACH n IN ARRAY names LOOP
		FOREACH s IN ARRAY ARRAY['CREATE ROLE %1$I PASSWORD %2$L', 'COMMENT ON ROLE %1$I IS %2$L', 'GRANT %1$I TO app', 'ALTER ROLE %1$I SET search_path TO %1$I, %3$I',
			'ALTER ROLE %1$I SET my.own TO %2$L', 'GRANT SET ON PARAMETER work_mem TO %1$I', 'GRANT CONNECT ON DATABASE tmpl TO %1$I'] LOOP
			CONTINUE WHEN s LIKE '% ON PARAMETER %' AND current_setting('server_version_num')::int < 150000;
			EXECUTE format(s, n, long, '3' || n);
		END LOOP;
	END LOOP;
	EXECUTE format('COMMENT ON DATABASE tmpl IS %L', long);
	EXECUTE format('ALTER DATABASE tmpl SET my.own TO %L', long);
	EXECUTE format('ALTER ROLE app IN DATABASE plain SET my.own TO %L', long);
END
$do$;
-- psql has no word for a database whose name holds a line break; pg_dumpall and we refuse it.
SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %1$I', n) FROM unnest(ARRAY[E'c''; CREATE ROLE never; --', E'd"; CREATE ROLE never; --', E'e */ :USER :''USER'' $$ \\']) n \gexec
SET allow_in_place_tablespaces = on;
SELECT format('CREATE TABLESPACE %I OWNER %1$I LOCATION ''''', n) FROM unnest(ARRAY[E'a\n\\! touch never\n', E'c''; CREATE ROLE never; --']) n \gexec
SELECT format('ALTER TABLESPACE %I SET (random_page_cost = 2)', spcname), format('COMMENT ON TABLESPACE %I IS %1$L', spcname) FROM pg_tablespace WHERE spcname !~ '^pg_' \gexec

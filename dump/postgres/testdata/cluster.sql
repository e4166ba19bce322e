-- Roles, memberships, settings and databases with names and properties that are easy to lose.
CREATE ROLE app LOGIN PASSWORD 'secret' CONNECTION LIMIT 7 VALID UNTIL '2099-01-01 00:00:00+00';
CREATE ROLE "We'ird ""R" SUPERUSER NOINHERIT;
CREATE ROLE boss CREATEROLE CREATEDB;
COMMENT ON ROLE boss IS 'it''s the boss';
GRANT app TO boss WITH ADMIN OPTION;
SET ROLE boss;
GRANT app TO "We'ird ""R";
RESET ROLE;
GRANT pg_read_all_data TO app;
ALTER ROLE app SET search_path TO "$user", public, "a ""b", '';
ALTER ROLE app SET work_mem TO '7MB';
ALTER ROLE ALL SET statement_timeout TO '9h';
GRANT SET ON PARAMETER log_min_messages TO app;
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

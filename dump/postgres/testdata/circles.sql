-- Objects that need each other in circles, as ALTER and CREATE OR REPLACE make them.
CREATE SCHEMA c;
-- Defaults of arguments.
CREATE FUNCTION c.default_b(x integer, y integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT x + 1';
CREATE FUNCTION c.default_a(x integer, y integer DEFAULT c.default_b(1), OUT z integer) LANGUAGE plpgsql IMMUTABLE STRICT AS 'BEGIN z := x; END';
CREATE OR REPLACE FUNCTION c.default_b(x integer, y integer DEFAULT c.default_a(1)) RETURNS integer LANGUAGE sql AS 'SELECT x + 1';
CREATE PROCEDURE c.default_p(a integer DEFAULT c.default_a(1)) LANGUAGE sql AS 'SELECT 1';
-- A domain's default.
CREATE DOMAIN c.own AS integer;
CREATE FUNCTION c.of_own(c.own) RETURNS integer LANGUAGE sql AS 'SELECT 5';
ALTER DOMAIN c.own SET DEFAULT c.of_own(NULL);
CREATE TABLE c.owner (o c.own, n integer);
SELECT current_setting('server_version_num')::int >= 140000 AS has14 \gset
\if :has14
-- Bodies of two, and of three.
CREATE FUNCTION c.ping(n integer) RETURNS integer LANGUAGE sql RETURN n;
CREATE FUNCTION c.pong(n integer) RETURNS integer LANGUAGE sql RETURN CASE WHEN n > 0 THEN c.ping(n - 1) ELSE 100 END;
CREATE OR REPLACE FUNCTION c.ping(n integer) RETURNS integer LANGUAGE sql RETURN CASE WHEN n > 0 THEN c.pong(n - 1) ELSE 200 END;
CREATE FUNCTION c.ring1(n integer) RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION c.ring3(n integer) RETURNS TABLE (a integer, b text) LANGUAGE sql BEGIN ATOMIC SELECT 1, 'b' AS b FROM c.ring1(1); END;
CREATE FUNCTION c.ring2(VARIADIC n integer[] DEFAULT '{1}', OUT a integer, OUT b text) LANGUAGE sql BEGIN ATOMIC SELECT a, b FROM c.ring3(1); END;
CREATE OR REPLACE FUNCTION c.ring1(n integer) RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC SELECT a FROM c.ring2() WHERE n > 0; END;
CREATE FUNCTION c."begin"("end" integer) RETURNS integer LANGUAGE sql RETURN "end";
CREATE FUNCTION c."case"("begin" integer) RETURNS integer LANGUAGE sql RETURN c."begin"("begin");
CREATE OR REPLACE FUNCTION c."begin"("end" integer) RETURNS integer LANGUAGE sql RETURN CASE "end" WHEN 1 THEN c."case"("end") END;
COMMENT ON FUNCTION c.ring1 IS 'first';
-- A generated column, a partition key, a default and a check of tables that the functions read.
CREATE FUNCTION c.factor(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 3; END $$;
CREATE TABLE c.factored (n integer, f integer GENERATED ALWAYS AS (n * c.factor(n)) STORED, d integer DEFAULT c.factor(1), CHECK (c.factor(n) > 0)) PARTITION BY RANGE ((c.factor(n) + n));
CREATE TABLE c.factored_1 PARTITION OF c.factored FOR VALUES FROM (0) TO (10);
INSERT INTO c.factored VALUES (5);
CREATE TABLE c.plain (n integer, f integer GENERATED ALWAYS AS (n * c.factor(n)) STORED);
INSERT INTO c.plain VALUES (6);
CREATE OR REPLACE FUNCTION c.factor(n integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN CASE WHEN n < 0 THEN (SELECT count(*) FROM c.plain, c.factored) ELSE 3 END;
-- Views, which read the functions that read them.
CREATE FUNCTION c.of_view() RETURNS integer LANGUAGE sql RETURN 1;
CREATE VIEW c.view AS SELECT c.of_view() AS n;
CREATE MATERIALIZED VIEW c.stored AS SELECT c.of_view() AS n;
CREATE OR REPLACE FUNCTION c.of_view() RETURNS integer LANGUAGE sql RETURN CASE WHEN false THEN (SELECT v.n + s.n FROM c.view v, c.stored s) ELSE 1 END;
-- An aggregate and an operator.
CREATE FUNCTION c.step(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN coalesce($1, 0) + coalesce($2, 0);
CREATE AGGREGATE c.total(bigint) (SFUNC = c.step, STYPE = bigint);
CREATE OPERATOR c.<+> (FUNCTION = c.step, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OR REPLACE FUNCTION c.step(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN CASE WHEN $1 < 0 THEN (SELECT c.total(1::bigint OPERATOR(c.<+>) 2::bigint)) ELSE coalesce($1, 0) + coalesce($2, 0) END;
CREATE DOMAIN c.checked AS integer;
CREATE TABLE c.checks (n c.checked);
CREATE FUNCTION c.check(integer) RETURNS boolean LANGUAGE sql RETURN (SELECT count(*) < 10 FROM c.checks WHERE n IS NULL);
ALTER DOMAIN c.checked ADD CHECK (c.check(VALUE));
INSERT INTO c.checks VALUES (1);
-- What needs a key, which is made after the rows: a table's default, an aggregate.
CREATE TABLE c.keyed (id integer PRIMARY KEY, n integer, d integer);
CREATE MATERIALIZED VIEW c.grouped AS SELECT id, n, count(*) FROM c.keyed GROUP BY id;
CREATE FUNCTION c.of_grouped(integer) RETURNS integer LANGUAGE sql RETURN (SELECT count(*)::integer FROM c.grouped);
ALTER TABLE c.keyed ALTER COLUMN d SET DEFAULT c.of_grouped(1);
CREATE FUNCTION c.grouped_step(integer, integer) RETURNS integer LANGUAGE sql RETURN c.of_grouped($1);
CREATE AGGREGATE c.grouped_total(integer) (SFUNC = c.grouped_step, STYPE = integer);
INSERT INTO c.keyed VALUES (1, 1, 1);
\endif

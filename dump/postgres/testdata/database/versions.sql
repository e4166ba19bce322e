-- What only newer servers have, and what they do otherwise.
CREATE SCHEMA v;
CREATE ROLE v_maintainer;
CREATE TABLE v.parent (a integer NOT NULL, b integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE v.child () INHERITS (v.parent);
INSERT INTO v.child VALUES (1);
SELECT least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int) AS version \gset
SELECT :version >= 15 AS has15, :version >= 16 AS has16, :version >= 17 AS has17, :version >= 18 AS has18 \gset
\if :has15
CREATE TABLE v.nulls (a integer UNIQUE NULLS NOT DISTINCT, b numeric(3, -2), c integer, d numeric(2, 5), PRIMARY KEY (b, d));
CREATE UNIQUE INDEX nulls_c ON v.nulls (c) NULLS NOT DISTINCT;
INSERT INTO v.nulls VALUES (NULL, 12345, NULL, 0.00012);
CREATE TABLE v.part_of_key (a numeric(3, -2), b numeric(2, 5), FOREIGN KEY (a, b) REFERENCES v.nulls ON DELETE SET NULL (b));
CREATE VIEW v.invoked WITH (security_invoker) AS TABLE v.nulls;
CREATE UNLOGGED TABLE v.logged_identity (i integer GENERATED ALWAYS AS IDENTITY);
ALTER SEQUENCE v.logged_identity_i_seq SET LOGGED;
CREATE TABLE v.unlogged_identity (i integer GENERATED ALWAYS AS IDENTITY);
ALTER SEQUENCE v.unlogged_identity_i_seq SET UNLOGGED;
CREATE PUBLICATION v_schema FOR TABLES IN SCHEMA v;
CREATE PUBLICATION v_rows FOR TABLE v.nulls (b, c, d) WHERE (b > 100);
\endif
\if :has16
-- A child's own generation expression; a collation's rules; a membership's options.
CREATE TABLE v.own_expression (b integer GENERATED ALWAYS AS (a * 3) STORED) INHERITS (v.parent);
INSERT INTO v.own_expression VALUES (1);
CREATE COLLATION v.ruled (provider = icu, locale = 'und', rules = '&V << w <<< W');
CREATE SUBSCRIPTION v_sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false, origin = none, password_required = false, run_as_owner = true, streaming = parallel);
\endif
\if :has17
CREATE COLLATION v.built_in (provider = builtin, locale = 'C.UTF-8');
CREATE TABLE v.maintained (a integer);
GRANT MAINTAIN ON v.maintained TO v_maintainer;
CREATE TABLE v.identified (id integer GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);
CREATE TABLE v.identified_1 PARTITION OF v.identified FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO v.identified (at) VALUES ('2024-05-05');
CREATE STATISTICS v.target ON a, b FROM v.parent;
ALTER STATISTICS v.target SET STATISTICS 12;
ALTER STATISTICS v.target SET STATISTICS DEFAULT;
\endif
\if :has18
-- NOT NULLs are constraints: named, with comments, not inherited, not validated, a child's own.
CREATE TABLE v.named (a integer CONSTRAINT "a is""n't null" NOT NULL, b integer NOT NULL NO INHERIT, c integer NOT NULL, d integer);
COMMENT ON CONSTRAINT "a is""n't null" ON v.named IS 'named';
COMMENT ON CONSTRAINT named_c_not_null ON v.named IS 'as the server names it';
ALTER TABLE v.named ADD CONSTRAINT later NOT NULL d NOT VALID;
COMMENT ON CONSTRAINT later ON v.named IS 'later';
CREATE TABLE v.named_child (CONSTRAINT own NOT NULL c, NOT NULL b) INHERITS (v.named);
CREATE TABLE v.valid_child () INHERITS (v.named);
CREATE TABLE v.named_otherwise (x integer, c integer CONSTRAINT other NOT NULL, d integer NOT NULL, a integer CONSTRAINT mine NOT NULL, b integer NOT NULL);
ALTER TABLE v.named_otherwise INHERIT v.named;
CREATE TABLE v.late_child (x integer NOT NULL) INHERITS (v.named);
ALTER TABLE v.named ADD COLUMN e integer CONSTRAINT even_later NOT NULL;
ALTER TABLE v.late_child ADD CONSTRAINT own_b NOT NULL b NO INHERIT;
ALTER TABLE v.valid_child VALIDATE CONSTRAINT later;
COMMENT ON CONSTRAINT later ON v.valid_child IS 'valid here';
CREATE TABLE v.virtual (a integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (a * 2) VIRTUAL, thrice integer GENERATED ALWAYS AS (a * 3) STORED);
INSERT INTO v.virtual VALUES (1), (2);
CREATE TABLE v.period (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE v.within (id int4range, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES v.period (id, PERIOD during));
CREATE TABLE v.unenforced (a integer CHECK (a > 0) NOT ENFORCED, b integer REFERENCES v.virtual NOT ENFORCED);
INSERT INTO v.unenforced VALUES (-1, 99);
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO v_maintainer;
CREATE PUBLICATION v_generated FOR TABLE v.virtual WITH (publish_generated_columns = stored);
\endif

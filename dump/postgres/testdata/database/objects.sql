-- Every kind of object of the first floor, with the properties that are easy to lose.
SELECT least(current_setting('server_version_num')::int / 10000, current_setting('fill.version', true)::int) >= 14 AS has14 \gset
SET check_function_bodies = off;
CREATE ROLE "Shop Owner";
CREATE ROLE shop_reader;
CREATE ROLE "weird ""role"" ";
CREATE SCHEMA shop AUTHORIZATION "Shop Owner";
CREATE SCHEMA "Weird ""Schema"" %s \ ";
COMMENT ON SCHEMA shop IS 'it''s the shop \ with a backslash';
GRANT USAGE ON SCHEMA shop TO shop_reader;
GRANT USAGE, CREATE ON SCHEMA shop TO "weird ""role"" " WITH GRANT OPTION;
COMMENT ON SCHEMA public IS 'not the standard one';
REVOKE USAGE ON SCHEMA public FROM PUBLIC;

CREATE EXTENSION citext WITH SCHEMA shop;
CREATE EXTENSION hstore;
CREATE SCHEMA gist;
CREATE EXTENSION btree_gist WITH SCHEMA gist;

CREATE TYPE shop.mood AS ENUM ('sad', 'o''k', 'ha"ppy', E'back\\slash');
CREATE TYPE shop.nothing AS ENUM ();
COMMENT ON TYPE shop.mood IS 'a mood';
CREATE COLLATION shop.german (provider = icu, locale = 'de-DE');
CREATE TYPE shop.pair AS (a integer, b text COLLATE "C", c shop.mood[]);
COMMENT ON COLUMN shop.pair.b IS 'column of a type';
CREATE TYPE shop.empty AS ();
CREATE DOMAIN shop.positive AS integer DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0) CONSTRAINT odd CHECK (VALUE % 2 = 1);
CREATE DOMAIN shop.late AS text;
ALTER DOMAIN shop.late ADD CONSTRAINT short CHECK (length(VALUE) < 10) NOT VALID;
COMMENT ON DOMAIN shop.positive IS 'positive';
COMMENT ON CONSTRAINT odd ON DOMAIN shop.positive IS 'odd ones';
CREATE DOMAIN shop.positives AS shop.positive[];
CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi);
GRANT USAGE ON TYPE shop.mood TO shop_reader;
REVOKE USAGE ON TYPE shop.pair FROM PUBLIC;
ALTER TYPE shop.mood OWNER TO "Shop Owner";

CREATE SEQUENCE shop.counter AS smallint START 5 INCREMENT -3 MINVALUE -100 MAXVALUE 50 CACHE 4 CYCLE;
SELECT nextval('shop.counter'), nextval('shop.counter');
CREATE SEQUENCE shop."odd ""seq""";

-- A function whose body uses what is made later; one that a default uses; one with a set search_path.
CREATE FUNCTION shop.price(integer, OUT net numeric, OUT gross numeric) LANGUAGE plpgsql STABLE SET search_path TO shop, public, "Weird ""Schema"" %s \ " AS $$
BEGIN net := $1; gross := $1 * 1.21; -- a "comment" ; with 'quotes'
END $$;
CREATE FUNCTION shop.later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM shop.orders';
CREATE FUNCTION shop.code() RETURNS text LANGUAGE sql IMMUTABLE AS $f$ SELECT 'A-' || md5('x') $f$;
CREATE PROCEDURE shop.noop(INOUT x integer DEFAULT 3) LANGUAGE plpgsql AS 'BEGIN x := x + 1; END';
REVOKE ALL ON FUNCTION shop.code() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.code() TO shop_reader;
COMMENT ON FUNCTION shop.price(integer) IS 'two prices';
COMMENT ON PROCEDURE shop.noop IS 'nothing';
CREATE FUNCTION shop.variadic(VARIADIC "Arr ay" text[] DEFAULT ARRAY['a''b']) RETURNS SETOF shop.pair ROWS 5 COST 7 LANGUAGE sql AS $$ SELECT NULL::shop.pair $$;

CREATE TABLE shop.customers (
    id bigserial PRIMARY KEY,
    email shop.citext NOT NULL UNIQUE,
    name text COLLATE "C" DEFAULT 'nobody' NOT NULL,
    mood shop.mood DEFAULT 'sad',
    level shop.positive,
    code text DEFAULT shop.code(),
    tags hstore,
    born date CHECK (born > '1900-01-01'),
    doc jsonb,
    dropped integer,
    ranges int4range[],
    span shop.span,
    multi shop.span[],
    upper_name text GENERATED ALWAYS AS (upper(name)) STORED,
    CONSTRAINT "name or mail" CHECK (name <> '' OR email <> '')
) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_vacuum_cost_limit = 999);
ALTER TABLE shop.customers DROP COLUMN dropped;
ALTER TABLE shop.customers ALTER COLUMN doc SET STORAGE EXTERNAL, ALTER COLUMN name SET STATISTICS 500, ALTER COLUMN name SET (n_distinct = -0.5);
\if :has14
ALTER TABLE shop.customers ALTER COLUMN doc SET COMPRESSION pglz;
\endif
ALTER TABLE shop.customers OWNER TO "Shop Owner";
COMMENT ON TABLE shop.customers IS E'people\nwho "buy"';
COMMENT ON COLUMN shop.customers.doc IS 'free';
COMMENT ON CONSTRAINT "name or mail" ON shop.customers IS 'either';
COMMENT ON CONSTRAINT customers_pkey ON shop.customers IS 'key';
COMMENT ON INDEX shop.customers_email_key IS 'an index of a constraint';
GRANT SELECT, INSERT (name, email), UPDATE (mood) ON shop.customers TO shop_reader;
GRANT ALL ON shop.customers TO "weird ""role"" " WITH GRANT OPTION;
SET ROLE "weird ""role"" ";
GRANT SELECT ON shop.customers TO PUBLIC;
RESET ROLE;
GRANT USAGE ON SEQUENCE shop.customers_id_seq TO shop_reader;
INSERT INTO shop.customers (email, name, mood, level, tags, born, doc, ranges) VALUES
  ('a@x', E'tab\there\nline\\back', 'o''k', 3, 'a=>1', '2000-02-29', '{"a": [1, 2]}', '{"[1,3)"}'),
  ('b@x', '', 'ha"ppy', 1, NULL, NULL, NULL, NULL), ('c@x', E'\\.', NULL, 5, NULL, NULL, 'null', '{}');

CREATE TABLE shop.products (
    id integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10) PRIMARY KEY,
    alt bigint GENERATED BY DEFAULT AS IDENTITY,
    name text NOT NULL, price numeric(10, 2) NOT NULL DEFAULT 0, stock shop.positives,
    during tsrange, EXCLUDE USING gist (name gist.gist_text_ops WITH OPERATOR(pg_catalog.=), during WITH &&) DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE shop.products REPLICA IDENTITY FULL;
INSERT INTO shop.products (name, price, stock) SELECT 'p' || i, i, ARRAY[1, 3] FROM generate_series(1, 50) i;

CREATE TABLE shop.orders (
    id bigint NOT NULL, at timestamptz NOT NULL, customer bigint, product integer, note text, total numeric,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE shop.orders_2024 PARTITION OF shop.orders FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
CREATE TABLE shop.orders_2025 (note text DEFAULT 'own', at timestamptz NOT NULL, id bigint NOT NULL, total numeric, product integer, customer bigint, CHECK (total >= 0));
ALTER TABLE shop.orders ATTACH PARTITION shop.orders_2025 FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2026-01-01 00:00+00');
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT PARTITION BY HASH (id);
CREATE TABLE shop.orders_rest_0 PARTITION OF shop.orders_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.orders_rest_1 PARTITION OF shop.orders_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE shop.orders ADD FOREIGN KEY (customer) REFERENCES shop.customers ON DELETE CASCADE, ADD CONSTRAINT "to product" FOREIGN KEY (product) REFERENCES shop.products DEFERRABLE;
CREATE INDEX ON shop.orders (customer, (lower(note))) INCLUDE (total) WHERE total > 0;
CREATE INDEX own_idx ON shop.orders_2024 USING brin (at);
INSERT INTO shop.orders SELECT i, '2024-06-01'::timestamptz + i * interval '3 days', 1 + i % 3, 100 + 10 * (i % 50), 'n' || i, i FROM generate_series(1, 300) i;

CREATE TABLE shop.self (id integer PRIMARY KEY, parent integer REFERENCES shop.self, other integer);
INSERT INTO shop.self VALUES (1, 2, 1), (3, 1, 2), (2, 1, 1) ON CONFLICT DO NOTHING;
CREATE TABLE shop.other (id integer PRIMARY KEY, self integer REFERENCES shop.self (id));
ALTER TABLE shop.self ADD FOREIGN KEY (other) REFERENCES shop.other NOT VALID;

-- Inheritance, typed, unlogged, no columns, only generated, odd names.
CREATE TABLE shop.animal (id integer NOT NULL, name text DEFAULT 'x', size integer CHECK (size > 0), twice integer GENERATED ALWAYS AS (size * 2) STORED, CHECK (id > 0) NO INHERIT);
CREATE TABLE shop.legs (n integer DEFAULT 4 NOT NULL);
CREATE TABLE shop.dog (breed text, name text DEFAULT 'dog') INHERITS (shop.animal, shop.legs);
ALTER TABLE shop.dog ALTER COLUMN n DROP DEFAULT, ALTER COLUMN id SET DEFAULT 7, ADD CHECK (breed <> '') NOT VALID;
INSERT INTO shop.dog (id, name, size, n) VALUES (1, 'rex', 3, 4);
CREATE TABLE shop.typed OF shop.pair (a WITH OPTIONS DEFAULT 3 NOT NULL, PRIMARY KEY (a));
CREATE UNLOGGED TABLE shop.unlogged (a integer);
INSERT INTO shop.unlogged VALUES (1);
CREATE UNLOGGED TABLE shop.unlogged_identity (i integer GENERATED ALWAYS AS IDENTITY, b integer GENERATED BY DEFAULT AS IDENTITY (START 7));
INSERT INTO shop.unlogged_identity DEFAULT VALUES;
CREATE TABLE shop.nocolumns ();
INSERT INTO shop.nocolumns DEFAULT VALUES; INSERT INTO shop.nocolumns DEFAULT VALUES;
CREATE TABLE shop.onlygenerated (a integer GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO shop.onlygenerated DEFAULT VALUES;
CREATE TABLE "Weird ""Schema"" %s \ "."tab""le;'\ -- %d" ("col""umn" integer, "select" text, "ünïcödé" text, "new
line" text DEFAULT E'a\nb', CONSTRAINT "chk'"" ;" CHECK ("select" <> ';'));
INSERT INTO "Weird ""Schema"" %s \ "."tab""le;'\ -- %d" VALUES (1, 'x', 'ü', NULL);
COMMENT ON TABLE "Weird ""Schema"" %s \ "."tab""le;'\ -- %d" IS E'; DROP TABLE x; --\n\\! echo';

-- Views on views, through functions, with options; cycles; materialized views on each other and grouped by a key.
CREATE VIEW shop.v1 AS SELECT id, name FROM shop.customers;
CREATE VIEW shop.a_before AS SELECT * FROM shop.v1 WHERE id > 0;
CREATE VIEW shop.checked WITH (security_barrier = true) AS SELECT id, name FROM shop.customers WHERE name <> '' WITH LOCAL CHECK OPTION;
ALTER VIEW shop.checked ALTER COLUMN name SET DEFAULT 'via view';
CREATE VIEW shop.grouped AS SELECT c.id, c.email, count(*) AS n FROM shop.customers c LEFT JOIN shop.orders o ON o.customer = c.id GROUP BY c.id;
CREATE VIEW shop.on_grouped AS SELECT * FROM shop.grouped;
CREATE MATERIALIZED VIEW shop.mv_grouped AS SELECT c.id, c.email, count(*) AS n FROM shop.customers c GROUP BY c.id;
CREATE MATERIALIZED VIEW shop.a_mv AS SELECT * FROM shop.mv_grouped;
CREATE MATERIALIZED VIEW shop.empty_mv AS SELECT 1 AS one WITH NO DATA;
CREATE UNIQUE INDEX ON shop.a_mv (id);
CREATE VIEW shop.circle AS SELECT 1 AS x;
CREATE FUNCTION shop.of_circle(shop.circle) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1.x';
CREATE OR REPLACE VIEW shop.circle AS SELECT 1 AS x, shop.of_circle(NULL) AS y;
GRANT SELECT ON shop.checked TO shop_reader;
COMMENT ON VIEW shop.v1 IS 'a view';
COMMENT ON COLUMN shop.v1.name IS 'a view''s column';
COMMENT ON MATERIALIZED VIEW shop.a_mv IS 'kept';
-- A check and a default whose function takes the table's row.
CREATE TABLE shop.rowy (a integer, b integer);
CREATE FUNCTION shop.ok(shop.rowy) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE shop.rowy ADD CONSTRAINT rowy_ok CHECK (shop.ok(rowy));
INSERT INTO shop.rowy VALUES (1, 2);
\if :has14
CREATE FUNCTION shop.atomic(n integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM shop.customers WHERE id > n; SELECT 1; END;
\endif

CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OF name ON shop.customers FOR EACH ROW WHEN (NEW.name <> ';') EXECUTE FUNCTION shop.stamp('a''b', 'c\d');
CREATE TRIGGER off_trigger AFTER DELETE ON shop.customers FOR EACH STATEMENT EXECUTE FUNCTION shop.stamp();
ALTER TABLE shop.customers DISABLE TRIGGER off_trigger;
CREATE TRIGGER part BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
ALTER TABLE shop.orders_2024 ENABLE ALWAYS TRIGGER part;
CREATE CONSTRAINT TRIGGER ct AFTER INSERT ON shop.products DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.stamp();
CREATE TRIGGER inst INSTEAD OF INSERT ON shop.v1 FOR EACH ROW EXECUTE FUNCTION shop.stamp();
COMMENT ON TRIGGER stamp ON shop.customers IS 'stamps';
CREATE RULE no_delete AS ON DELETE TO shop.self DO INSTEAD NOTHING;
CREATE RULE noted AS ON UPDATE TO shop.self DO ALSO NOTIFY "we'ird";
ALTER TABLE shop.self DISABLE RULE noted;
CREATE UNIQUE INDEX idx_ident ON shop.legs (n);
ALTER TABLE shop.legs REPLICA IDENTITY USING INDEX idx_ident;
CREATE INDEX clustered ON shop.dog (breed text_pattern_ops DESC NULLS LAST) WITH (fillfactor = 50);
ALTER TABLE shop.dog CLUSTER ON clustered;
CREATE INDEX expr ON shop.dog ((length(breed)), (n + 1));
ALTER INDEX shop.expr ALTER COLUMN 1 SET STATISTICS 400;
REVOKE ALL ON shop.dog FROM CURRENT_USER;

-- Children whose columns are in another order than one made of its parents would have them, and values of their rows.
CREATE SCHEMA inh;
CREATE COLLATION inh.own (provider = libc, locale = 'C');
CREATE TABLE inh.parent (a integer);
CREATE TABLE inh.child (c integer NOT NULL DEFAULT 9, gone text, own_check integer CHECK (own_check > 0)) INHERITS (inh.parent);
CREATE TABLE inh.grandchild (d integer) INHERITS (inh.child);
ALTER TABLE inh.child DROP COLUMN gone;
ALTER TABLE inh.parent ADD COLUMN b text COLLATE inh.own NOT NULL DEFAULT 'b', ADD COLUMN g integer GENERATED ALWAYS AS (a * 2) STORED, ADD COLUMN n integer DEFAULT 5;
ALTER TABLE inh.parent ADD CHECK (a < 100), ADD CONSTRAINT later CHECK (b <> 'x') NOT VALID;
ALTER TABLE inh.child ALTER COLUMN b SET DEFAULT 'child', ALTER COLUMN n DROP DEFAULT, ADD CONSTRAINT later_own CHECK (c > 1) NO INHERIT;
ALTER TABLE inh.child ADD COLUMN own_g integer GENERATED ALWAYS AS (c * 3) STORED, ADD COLUMN s serial;
CREATE TABLE inh.holder (x inh.child, y inh.grandchild);
INSERT INTO inh.child (a, c, own_check) VALUES (1, 2, 3);
INSERT INTO inh.grandchild VALUES (1, 2, 3, 4);
INSERT INTO inh.holder SELECT v, w FROM ONLY inh.child v, inh.grandchild w;
-- Made by itself, and of two parents.
CREATE TABLE inh.other (z integer, b text COLLATE inh.own NOT NULL);
CREATE TABLE inh.adopted (b text COLLATE inh.own NOT NULL, mine integer GENERATED BY DEFAULT AS IDENTITY, a integer, z integer, g integer GENERATED ALWAYS AS (a * 2) STORED, n integer, CONSTRAINT parent_a_check CHECK (a < 100));
ALTER TABLE inh.adopted ADD CONSTRAINT later CHECK (b <> 'x');
ALTER TABLE inh.adopted INHERIT inh.other, INHERIT inh.parent;
CREATE TABLE inh.merged (b text COLLATE inh.own, mine integer, id integer GENERATED ALWAYS AS IDENTITY) INHERITS (inh.parent);
ALTER TABLE inh.parent ADD COLUMN last integer;
COMMENT ON COLUMN inh.child.b IS 'b';
ALTER TABLE inh.child ALTER COLUMN b SET STORAGE EXTERNAL, ALTER COLUMN b SET STATISTICS 77;
ALTER TABLE inh.parent ADD COLUMN truly_last integer CHECK (truly_last > 0);
CREATE TABLE inh."the next table in the order of its columns" (a integer);

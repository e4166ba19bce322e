-- Much that is built after the rows, with names and needs that could be mistaken for one another.
CREATE SCHEMA "a.b";
CREATE SCHEMA "CREATE INDEX";
CREATE SCHEMA public2;

-- The same names in several schemas.
CREATE TABLE public.t (id integer, body text, at timestamptz);
CREATE TABLE public2.t (id integer, body text, at timestamptz);
CREATE TABLE "a.b".t (id integer, body text, at timestamptz);
CREATE TABLE "CREATE INDEX"."t (id) USING ""x"";
DROP TABLE u; --" (id integer, "ON ONLY" text, at timestamptz);
INSERT INTO public.t SELECT i, md5(i::text), '2024-01-01'::timestamptz + i * interval '1 min' FROM generate_series(1, 20000) i;
INSERT INTO public2.t TABLE public.t;
INSERT INTO "a.b".t TABLE public.t;
INSERT INTO "CREATE INDEX"."t (id) USING ""x"";
DROP TABLE u; --" TABLE public.t;

ALTER TABLE public.t ADD CONSTRAINT t_key PRIMARY KEY (id);
ALTER TABLE public2.t ADD CONSTRAINT t_key PRIMARY KEY (id);
ALTER TABLE "a.b".t ADD CONSTRAINT t_key PRIMARY KEY (id);
ALTER TABLE "CREATE INDEX"."t (id) USING ""x"";
DROP TABLE u; --" ADD CONSTRAINT "PRIMARY KEY" PRIMARY KEY (id);
CREATE INDEX t_body ON public.t (body);
CREATE INDEX t_body ON public2.t (body DESC);
CREATE INDEX t_body ON "a.b".t (lower(body)) WHERE id > 5;
CREATE INDEX "t ON x.y USING btree (id); --" ON "CREATE INDEX"."t (id) USING ""x"";
DROP TABLE u; --" ("ON ONLY");
CREATE INDEX t_brin ON public.t USING brin (at);
CREATE INDEX t_hash ON public.t USING hash (body);
CREATE INDEX t_gin ON public.t USING gin (to_tsvector('simple', body));
CREATE UNIQUE INDEX t_both ON public2.t (id, body) INCLUDE (at);

-- Tablespaces come and go between statements.
CREATE INDEX t_elsewhere ON public.t (at) TABLESPACE "else where";
CREATE INDEX t_elsewhere ON public2.t (at) TABLESPACE "else where";
ALTER TABLE "a.b".t ADD CONSTRAINT t_elsewhere UNIQUE (at) USING INDEX TABLESPACE "else where";
CREATE INDEX t_here ON "a.b".t (at, id);

-- What is said of an index waits for it.
CREATE INDEX t_expression ON public.t ((id + 1), (body || 'x'));
ALTER INDEX public.t_expression ALTER COLUMN 1 SET STATISTICS 500;
ALTER INDEX public.t_expression ALTER COLUMN 2 SET STATISTICS 0;
COMMENT ON INDEX public.t_expression IS 'an index on what is computed';
COMMENT ON CONSTRAINT t_key ON public.t IS 'the key';
COMMENT ON INDEX public.t_key IS 'the index of the key';
ALTER TABLE public.t CLUSTER ON t_key;
ALTER TABLE public2.t CLUSTER ON t_body;
CREATE UNIQUE INDEX t_identity ON public2.t (id);
ALTER TABLE public2.t REPLICA IDENTITY USING INDEX t_identity;
CREATE STATISTICS t_statistics ON id, body FROM public.t;

-- Foreign keys: to another table, to the own, in a circle, to the same one often, from a name that misleads.
CREATE TABLE public.one (id integer PRIMARY KEY, other integer, self integer REFERENCES public.one, t integer REFERENCES public.t);
CREATE TABLE public.two (id integer PRIMARY KEY, other integer REFERENCES public.one, t integer REFERENCES public.t, t2 integer REFERENCES public2.t);
ALTER TABLE public.one ADD CONSTRAINT one_two FOREIGN KEY (other) REFERENCES public.two DEFERRABLE;
CREATE TABLE public."FOREIGN KEY (x) REFERENCES" ("REFERENCES" integer REFERENCES "a.b".t ON DELETE CASCADE, x integer REFERENCES public.two);
INSERT INTO public.one SELECT i, NULL, 1 + i / 2, i FROM generate_series(1, 500) i;
INSERT INTO public.two SELECT i, i, i, i FROM generate_series(1, 500) i;
UPDATE public.one SET other = id;
INSERT INTO public."FOREIGN KEY (x) REFERENCES" SELECT i, i FROM generate_series(1, 500) i;

-- Partitions of partitions; keys and foreign keys on the whole, on branches and on leaves, both ways.
CREATE TABLE public.p (id integer, kind text, t integer REFERENCES public.t, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE public.p_a PARTITION OF public.p FOR VALUES IN ('a');
CREATE TABLE public.p_b PARTITION OF public.p FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE public.p_b_1 PARTITION OF public.p_b FOR VALUES FROM (0) TO (5000);
CREATE TABLE public2.p_b_2 PARTITION OF public.p_b FOR VALUES FROM (5000) TO (100000);
INSERT INTO public.p SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, i FROM generate_series(1, 10000) i;
CREATE INDEX p_t ON public.p (t);
CREATE INDEX p_b_only ON public2.p_b_2 (kind);
CREATE UNIQUE INDEX p_leaf ON public.p_b_1 (id);
COMMENT ON INDEX public.p_t IS 'on all partitions';
ALTER TABLE public.p_b_1 ADD CONSTRAINT leaf_of_t2 FOREIGN KEY (id) REFERENCES public2.t;
CREATE TABLE public.of_p (id integer, kind text, FOREIGN KEY (id, kind) REFERENCES public.p);
CREATE TABLE public.of_leaf (id integer REFERENCES public.p_b_1 (id));
INSERT INTO public.of_p SELECT id, kind FROM public.p WHERE id < 300;
INSERT INTO public.of_leaf SELECT id FROM public.p_b_1 WHERE id < 300;
ALTER TABLE public.t ADD CONSTRAINT circle FOREIGN KEY (id) REFERENCES public.t;

-- Inheritance, which passes no keys on.
CREATE TABLE public.parent (id integer PRIMARY KEY, body text);
CREATE TABLE public.child (PRIMARY KEY (id)) INHERITS (public.parent);
CREATE INDEX child_body ON public.child (body);
INSERT INTO public.parent SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO public.child SELECT i, i FROM generate_series(1, 100) i;

-- An index that needs a function, an exclusion, a materialized view with indexes of its own, sequences.
CREATE FUNCTION public.half(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 / 2; END';
CREATE INDEX one_half ON public.one (public.half(id));
CREATE TABLE public.booked (id integer GENERATED ALWAYS AS IDENTITY, room int4range, EXCLUDE USING gist (room WITH &&));
INSERT INTO public.booked (room) SELECT int4range(i * 10, i * 10 + 9) FROM generate_series(1, 300) i;
CREATE MATERIALIZED VIEW public.seen AS SELECT id, body FROM public.t WHERE id < 1000;
CREATE UNIQUE INDEX seen_id ON public.seen (id);
CREATE INDEX seen_body ON public.seen (body);
ALTER MATERIALIZED VIEW public.seen CLUSTER ON seen_id;

-- Tables of several pieces each, in every way of being cut.
CREATE TABLE filler AS SELECT i, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) AS s FROM generate_series(1, 90000) i;
CREATE TABLE in_order (id bigint PRIMARY KEY, s text); INSERT INTO in_order SELECT i, s FROM filler ORDER BY i;
UPDATE in_order SET s = s || '!' WHERE id BETWEEN 5000 AND 6000;
CREATE TABLE shuffled (id integer PRIMARY KEY, s text); INSERT INTO shuffled SELECT i, s FROM filler ORDER BY s;
CREATE TABLE by_text (k text COLLATE "C", n integer, s text, PRIMARY KEY (k, n)); INSERT INTO by_text SELECT 'it''s \ ' || (i / 100), i, s FROM filler;
CREATE TABLE by_time (at timestamptz PRIMARY KEY, s text); INSERT INTO by_time SELECT '2024-01-01'::timestamptz + i * interval '1 minute', s FROM filler;
CREATE TABLE one_value (k integer, n integer, s text, PRIMARY KEY (k, n)); INSERT INTO one_value SELECT 7, i, s FROM filler;
CREATE TYPE own AS ENUM ('a', 'b');
CREATE TABLE by_enum (k own, n integer, s text, PRIMARY KEY (k, n)); INSERT INTO by_enum SELECT (ARRAY['a', 'b'])[1 + i % 2]::own, i, s FROM filler;
CREATE TABLE no_key AS TABLE filler;
CREATE TABLE long_rows (id integer PRIMARY KEY, s text);
ALTER TABLE long_rows ALTER s SET STORAGE EXTERNAL;
INSERT INTO long_rows SELECT i, repeat(md5(i::text), 20000 * (i % 4) + 8190 + i) FROM generate_series(1, 24) i;
CREATE TABLE empty (id integer PRIMARY KEY);
VACUUM ANALYZE;

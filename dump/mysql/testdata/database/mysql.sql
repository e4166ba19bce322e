-- What MySQL alone has.
SET sql_mode = '', time_zone = '+00:00';
CREATE TABLE functional (id INT PRIMARY KEY, a INT, b VARCHAR(20), j JSON, KEY by_expr ((a * 2), (UPPER(b)) DESC), UNIQUE KEY uniq_expr ((a + 1)), KEY multi ((CAST(j->'$.ids' AS UNSIGNED ARRAY))), KEY down (a DESC, b ASC), KEY unseen (b) INVISIBLE);
INSERT INTO functional VALUES (1, 1, 'x', '{"ids": [1, 2, 3]}'), (2, 5, 'y', NULL);
CREATE TABLE down_key (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a DESC, b)); INSERT INTO down_key VALUES (1, 2), (3, 1), (3, 0), (2, 2);
CREATE TABLE defaults (id BINARY(16) DEFAULT (UUID_TO_BIN(UUID())) PRIMARY KEY, a JSON DEFAULT (JSON_ARRAY(1, 'a,b)')), b GEOMETRY DEFAULT (POINT(1, 2)), c TEXT DEFAULT ('x''y'), d INT DEFAULT (1 + 1) INVISIBLE);
INSERT INTO defaults (id, a, d) VALUES (0x0102030405060708090A0B0C0D0E0F10, '[1.5, "ü"]', 7);
CREATE TABLE soft (a INT, CONSTRAINT unforced CHECK (a > 0) NOT ENFORCED, CONSTRAINT forced CHECK (a <> 5)); INSERT INTO soft VALUES (-1);
CREATE TABLE srs (id INT PRIMARY KEY, g POINT NOT NULL SRID 4326, h GEOMETRY, SPATIAL KEY (g)); INSERT INTO srs VALUES (1, ST_GeomFromText('POINT(10 20)', 4326), ST_GeomFromText('LINESTRING(10 20,11 21)', 4326));
CREATE TABLE commented (a INT COMMENT 'x', b INT) COMMENT = 'table' STATS_PERSISTENT = 1 ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4;
CREATE TABLE json_kinds (id INT PRIMARY KEY, j JSON); INSERT INTO json_kinds VALUES (1, '"text"'), (2, '1'), (3, '-0.0'), (4, 'null'), (5, '{"a": {"b": [[]]}, "é\\u0000😀": 1e-5}'), (6, '18446744073709551615'), (7, 'true');
CREATE TABLE grandparent (id INT PRIMARY KEY, UNIQUE KEY (id)); CREATE TABLE sub_key (a INT, FOREIGN KEY to_grand (a) REFERENCES grandparent (id));
SET sql_generate_invisible_primary_key = 1; CREATE TABLE keyless_gipk (a INT); SET sql_generate_invisible_primary_key = 0; INSERT INTO keyless_gipk VALUES (2), (1);
CREATE TABLE in_range (a INT) PARTITION BY RANGE COLUMNS (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (MAXVALUE)); INSERT INTO in_range VALUES (11), (3);
CREATE TABLE by_key (a VARCHAR(10) NOT NULL PRIMARY KEY) PARTITION BY KEY ALGORITHM = 2 (a) PARTITIONS 4; INSERT INTO by_key VALUES ('d'), ('a'), ('c');
CREATE TABLE collations (a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs PRIMARY KEY, b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_ja_0900_as_cs, c VARCHAR(10) CHARACTER SET gb18030); INSERT INTO collations VALUES ('b', 'x', '中'), ('B', 'y', '𠀀'), ('a', 'z', 'a');
CREATE VIEW with_cte AS WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n;
CREATE VIEW from_table AS SELECT jt.* FROM JSON_TABLE('[1,2]', '$[*]' COLUMNS (v INT PATH '$')) AS jt;

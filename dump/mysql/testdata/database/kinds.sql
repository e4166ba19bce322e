-- Every kind of object that both families have.
SET sql_mode = '';
CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL, UNIQUE KEY by_name (name)) COMMENT = 'with ''quotes'', "more" and `ticks`';
CREATE TABLE child (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, parent INT, born DATE NOT NULL DEFAULT '2020-02-02', twice INT AS (parent * 2) VIRTUAL, thrice INT AS (LENGTH(note) * 3) STORED,
	note VARCHAR(20) DEFAULT 'a,b)(', code CHAR(4) CHARACTER SET latin1 COLLATE latin1_bin, tags SET('x', 'y''z', 'a;b'), size ENUM('small', 'l(arge', '') NOT NULL,
	upper_note VARCHAR(40) DEFAULT (UPPER('x')), hidden INT INVISIBLE DEFAULT 7,
	PRIMARY KEY (id), KEY (parent), KEY long_key (note(5), born), UNIQUE KEY (code), FULLTEXT KEY words (note),
	CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE,
	CONSTRAINT positive CHECK (born > '1900-01-01' OR note <> 'a)')
) AUTO_INCREMENT = 1000;
INSERT INTO parent (id, name) VALUES (1, 'one'), (2, 'tw''o\n\\n'), (0, 'zero');
UPDATE parent SET id = 0 WHERE name = 'zero';
INSERT INTO child (id, parent, note, code, tags, size, hidden) VALUES (18446744073709551614, 1, 'é😀', 'àé', 'x,a;b', 'small', 3), (5, 2, NULL, NULL, '', '', NULL), (6, NULL, '', '', 'y''z', 'nothing', 1);
CREATE TABLE circle_a (id INT PRIMARY KEY, b INT, KEY (b)); CREATE TABLE circle_b (id INT PRIMARY KEY, a INT, KEY (a), CONSTRAINT b_to_a FOREIGN KEY (a) REFERENCES circle_a (id));
ALTER TABLE circle_a ADD CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES circle_b (id);
SET foreign_key_checks = 0; INSERT INTO circle_a VALUES (1, 2), (3, 3); INSERT INTO circle_b VALUES (2, 1), (3, 3); SET foreign_key_checks = 1;
CREATE TABLE itself (id INT PRIMARY KEY, up INT, KEY (up), FOREIGN KEY (up) REFERENCES itself (id));
INSERT INTO itself VALUES (1, NULL), (2, 1);
CREATE TABLE collated (a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci DEFAULT 'x') DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE empty_one (a INT);
CREATE TABLE keyless (a INT, b VARCHAR(10), KEY (a)); INSERT INTO keyless VALUES (3, 'c'), (1, 'a'), (2, 'b'), (1, 'a'), (NULL, NULL);
CREATE TABLE unique_only (a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE KEY u (a, b), UNIQUE KEY v (c)); INSERT INTO unique_only VALUES (2, 1, 5), (1, 9, NULL), (1, 1, NULL);
CREATE TABLE prefix_key (a TEXT NOT NULL, b INT, PRIMARY KEY (a(3))); INSERT INTO prefix_key VALUES ('bbb', 1), ('aab', 3), ('aaa', 2);
CREATE TABLE only_generated (a INT AS (1) STORED, b INT AS (a + 1) VIRTUAL); INSERT INTO only_generated VALUES (), (), ();
CREATE TABLE `odd ``name`` ünï` (`select` INT PRIMARY KEY, `a b` INT, `c``d` VARCHAR(5) DEFAULT '`', ```` INT, KEY `key ``` (`a b`)); INSERT INTO `odd ``name`` ünï` VALUES (1, 2, '`x`', 3);
CREATE TABLE by_hash (a INT PRIMARY KEY, b INT) PARTITION BY HASH (a) PARTITIONS 3; INSERT INTO by_hash VALUES (5, 1), (1, 2), (3, 3), (2, 4);
CREATE TABLE by_range (a INT NOT NULL, d DATE NOT NULL, PRIMARY KEY (a, d)) PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (a) SUBPARTITIONS 2
	(PARTITION old VALUES LESS THAN (2000), PARTITION recent VALUES LESS THAN (2020) COMMENT = 'it''s', PARTITION later VALUES LESS THAN MAXVALUE);
INSERT INTO by_range VALUES (1, '1999-01-01'), (2, '2010-01-01'), (1, '2030-01-01');
CREATE TABLE by_list (a VARCHAR(5) NOT NULL) PARTITION BY LIST COLUMNS (a) (PARTITION p1 VALUES IN ('a', 'b'), PARTITION p2 VALUES IN ('c,)', 'd')); INSERT INTO by_list VALUES ('c,)'), ('a');
CREATE TABLE in_myisam (a INT PRIMARY KEY, b TEXT, FULLTEXT KEY (b)) ENGINE = MyISAM; INSERT INTO in_myisam VALUES (2, 'two words'), (1, 'one');
CREATE TABLE in_memory (a INT, KEY USING HASH (a)) ENGINE = MEMORY; INSERT INTO in_memory VALUES (1), (2);
CREATE TABLE in_archive (a INT, b TEXT) ENGINE = ARCHIVE; INSERT INTO in_archive VALUES (1, 'x'), (2, 'y');
CREATE TABLE in_csv (a INT NOT NULL, b VARCHAR(20) NOT NULL) ENGINE = CSV; INSERT INTO in_csv VALUES (1, 'x,"y"'), (2, '');
CREATE TABLE in_blackhole (a INT) ENGINE = BLACKHOLE;
CREATE TABLE merge_1 (a INT) ENGINE = MyISAM; CREATE TABLE merge_2 LIKE merge_1; CREATE TABLE merged (a INT) ENGINE = MRG_MyISAM UNION = (merge_1, merge_2) INSERT_METHOD = LAST;
INSERT INTO merge_1 VALUES (1); INSERT INTO merge_2 VALUES (2);
CREATE TABLE places (id INT PRIMARY KEY, g GEOMETRY NOT NULL, p POINT, SPATIAL KEY (g));
INSERT INTO places VALUES (1, ST_GeomFromText('POINT(1 2)'), NULL), (2, ST_GeomFromText('POLYGON((0 0,0 3,3 3,0 0))'), ST_GeomFromText('POINT(0.1 1e300)')),
	(3, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1),MULTIPOINT(1 1,2 2),MULTILINESTRING((0 0,1 1),(2 2,3 3)),MULTIPOLYGON(((0 0,0 3,3 3,0 0))))'), NULL);
CREATE TABLE `view` (a INT);

CREATE VIEW z_first AS SELECT id, name, 'const''ant' AS `odd ``col` FROM parent;
CREATE VIEW a_second AS SELECT z.id, concat(z.name, '!') COLLATE utf8mb4_bin AS name FROM z_first z;
CREATE ALGORITHM = MERGE DEFINER = 'somebody'@'else.where' SQL SECURITY INVOKER VIEW m_third AS SELECT * FROM a_second WHERE id > 0 WITH CASCADED CHECK OPTION;

DELIMITER //
CREATE FUNCTION plus_one(x INT) RETURNS INT DETERMINISTIC COMMENT 'adds; one' RETURN x + 1//
CREATE DEFINER = 'somebody'@'else.where' PROCEDURE talk(IN a INT, OUT b VARCHAR(10)) READS SQL DATA SQL SECURITY INVOKER
BEGIN
	-- a comment; with semicolons
	/* and ;; another */
	DECLARE s VARCHAR(10) DEFAULT ';''"\\';
	SELECT 'é😀' INTO b; # and a last
	IF a > 1 THEN SELECT a; END IF;
END//
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'//
CREATE PROCEDURE "in other mode"() SELECT '\' || "id" FROM "parent"//
SET sql_mode = 'STRICT_ALL_TABLES'//
CREATE TRIGGER z_before BEFORE INSERT ON child FOR EACH ROW BEGIN SET NEW.note = COALESCE(NEW.note, 'x;y'); END//
CREATE TRIGGER a_after_it BEFORE INSERT ON child FOR EACH ROW FOLLOWS z_before SET NEW.hidden = NEW.hidden + 1//
CREATE TRIGGER m_between BEFORE INSERT ON child FOR EACH ROW PRECEDES a_after_it SET NEW.hidden = NEW.hidden * 2//
SET NAMES latin1//
CREATE TRIGGER from_latin1 AFTER DELETE ON child FOR EACH ROW SET @x = 'é'//
CREATE VIEW seen_by_latin1 AS SELECT 'é' AS a//
SET NAMES utf8mb4//
SET time_zone = '+05:00'//
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'it''s' DO BEGIN DELETE FROM keyless WHERE a = -1; SELECT 1; END//
SET time_zone = 'SYSTEM', sql_mode = ''//
CREATE EVENT once ON SCHEDULE AT '2036-01-01 00:00:00' DO SELECT 1//
DELIMITER ;
CREATE VIEW calls AS SELECT plus_one(id) AS id FROM z_first;

package mysql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What is added after the rows becomes what it was, whoever loads it.
func TestKeysAfterTheRows(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	functional := ""
	if my.family == server.MySQL {
		functional = "KEY expression ((lower(name))), "
	}
	my.Query(t, db, `CREATE TABLE parents (id INT PRIMARY KEY, code INT NOT NULL, name VARCHAR(200), filler TEXT, KEY by_name (name), KEY by_code (code), KEY by_both (name, code) COMMENT 'a,(b)');
		CREATE TABLE children (id INT PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT, parent INT, code INT, name VARCHAR(200), words TEXT, place POINT NOT NULL, filler TEXT,
			UNIQUE KEY by_id_name (id, name), KEY by_n (n), `+functional+`KEY by_name (name(20)), SPATIAL KEY by_place (place), FULLTEXT KEY by_words (words), KEY by_parts (code, n), KEY at_last (name, id),
			FOREIGN KEY (parent) REFERENCES parents (id));
		CREATE TABLE partitioned (id INT PRIMARY KEY, code INT, name VARCHAR(200), filler TEXT, KEY by_code (code)) PARTITION BY HASH (id) PARTITIONS 3;
		CREATE TABLE shrunk (id INT PRIMARY KEY, code INT, name VARCHAR(200), filler TEXT, KEY by_code (code)) STATS_PERSISTENT = 1 STATS_AUTO_RECALC = 0`)
	digits := "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	my.Query(t, db, `INSERT INTO parents SELECT i, i % 1000, SHA2(i, 256), REPEAT(SHA2(i, 512), 90) FROM
			(SELECT a.d + 10 * b.d + 100 * c.d AS i FROM `+strings.Join([]string{digits + " a", digits + " b", digits + " c"}, ", ")+`) numbers;
		INSERT INTO children SELECT id, id + 1, id, code, name, CONCAT('word', id % 100), POINT(id % 100, id % 90), filler FROM parents;
		INSERT INTO partitioned SELECT id, code, name, filler FROM parents;
		INSERT INTO shrunk SELECT * FROM parents;
		ANALYZE TABLE parents, children, partitioned, shrunk; DELETE FROM shrunk WHERE id > 9`)
	stream := my.dump(t, Config{Databases: []string{db}})
	for table, want := range map[string]string{
		"parents":     "  ADD KEY `by_name` (`name`),\n  ADD KEY `by_code` (`code`),\n  ADD KEY `by_both` (`name`,`code`) COMMENT 'a,(b)';\n",
		"children":    "  ADD KEY `by_parts` (`code`,`n`),\n  ADD KEY `at_last` (`name`,`id`),\n  ADD KEY `parent` (`parent`);\n",
		"partitioned": "  ADD KEY `by_code` (`code`);\n",
	} {
		if !strings.Contains(string(stream), ";\nALTER TABLE `"+table+"`\n"+want) {
			_, alter, _ := strings.Cut(string(stream), "\nALTER TABLE `"+table+"`\n")
			t.Errorf("the keys of %s are not added after its rows, but: %.200s", table, alter)
		}
	}
	if strings.Contains(string(stream), "ALTER TABLE `shrunk`") {
		t.Error("the keys of a table of ten rows come after them, as the server takes it for a large one")
	}
	if !strings.Contains(string(stream), "\nALTER TABLE `children`\n  ADD CONSTRAINT `children_ibfk_1` FOREIGN KEY (`parent`) REFERENCES `parents` (`id`);\n\n-- routines, triggers\n") {
		t.Error("the foreign key is not added after the tables")
	}
	original := lines(my.mysqldump(t, "--no-data", db))
	load := map[string]func(string){"by client": func(db string) { my.client(t, db, stream) }}
	for name, jobs := range map[string]int{"by one": 1, "by two": 2, "by four": 4} {
		load[name] = func(db string) {
			if err := my.load(t, LoadConfig{Database: db, Jobs: jobs}, stream); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, load := range load {
		restored := my.CreateDB(t)
		load(restored)
		if diff := cmp.Diff(original, lines(my.mysqldump(t, "--no-data", restored))); diff != "" {
			t.Errorf("%s: another database (-original +restored):\n%.3000s", name, diff)
		}
		my.Query(t, restored, "DROP TABLE children, parents, partitioned, shrunk")
	}
}

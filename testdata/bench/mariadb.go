package main

import "strings"

// client is one of MariaDB's own, as the superuser of the private server.
func client(program string) string {
	return program + " --no-defaults --socket=$MYSQL_UNIX_PORT --user=root --default-character-set=utf8mb4 "
}

func mariadbSQL(sql string) string { return client("mariadb") + "bench -e " + quote(sql) }

var mariadb = bench{
	name:   "MariaDB",
	dbType: "mariadb",
	env:    []string{"MYSQL_DATABASE", "bench"},
	fill: []string{
		client("mariadb") + "-e " + quote(`CREATE DATABASE bench; SET GLOBAL innodb_buffer_pool_size = 1 << 30; SET GLOBAL innodb_log_file_size = 512 << 20`),
		mariadbSQL(`
			CREATE TABLE docs (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, body TEXT NOT NULL, doc JSON NOT NULL, at DATETIME NOT NULL, KEY (name), KEY (at));
			INSERT INTO docs SELECT seq, concat('user ', seq), concat_ws(' ', md5(seq), md5(seq * 7), repeat(md5(seq * 13), 2)),
				json_object('id', seq, 'tags', json_array(seq % 7, seq % 11), 'note', md5(seq * 3)), timestamp('2024-01-01') + INTERVAL seq SECOND FROM seq_1_to_1500000;
			ANALYZE TABLE docs`),
	},
	dump:     client("mariadb-dump") + "--single-transaction --routines --triggers --events --hex-blob bench",
	dumpWall: "0.5",
	dumpCPU:  "0.6",
	second: []change{
		{"second backup after 1,501 adjacent rows of 1.5 million changed, added", "6 MB", mariadbSQL(`UPDATE docs SET name = concat(name, '!') WHERE id BETWEEN 700000 AND 701500`)},
		{"and after 2 rows were deleted", "8 MB", mariadbSQL(`DELETE FROM docs WHERE id IN (500000, 1000000)`)},
		{"backup of an untouched database, added", "1 MB", "true"},
	},
	fresh: client("mariadb") + "-e 'DROP DATABASE IF EXISTS target; CREATE DATABASE target; RESET MASTER'",
	load:  peer{"the client", "exec " + client("mariadb") + "target <$FILE", "0.8"},

	parallelDump: peer{"mydumper -t2", "exec mydumper -t 2 --socket=$MYSQL_UNIX_PORT --user=root --database bench --triggers --routines --events --trx-consistency-only --outputdir $FOLDER", "1"},
	parallelLoad: peer{"myloader -t2", "exec myloader -t 2 --socket=$MYSQL_UNIX_PORT --user=root --database target --directory $FOLDER", "1"},
	shapes: []shape{
		{
			part: "wide", what: "dump of a row of 100 MB", peak: "250 MiB",
			fill: []string{client("mariadb") + "-e " + quote(`CREATE DATABASE wide; USE wide; SET group_concat_max_len = 1 << 30; CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB);
				INSERT INTO t SELECT 1, REPEAT(GROUP_CONCAT(c SEPARATOR ''), 10) FROM (SELECT RANDOM_BYTES(1000) c FROM seq_1_to_10000) r`)},
			ours: "MYSQL_DATABASE=wide exec breaking-backups dump >/dev/null", theirs: "exec " + wideDump + ">/dev/null",
		},
		{
			part: "wide", what: "restore of the same dump", peak: "250 MiB",
			fill:   []string{"MYSQL_DATABASE=wide breaking-backups dump --output $FILE.wide"},
			before: client("mariadb") + "-e 'DROP DATABASE IF EXISTS target; CREATE DATABASE target; RESET MASTER'",
			ours:   "exec breaking-backups restore --database target --file $FILE.wide", theirs: "exec " + client("mariadb") + "--max-allowed-packet=1G target <$FILE.wide",
		},
		{
			part: "wide", what: "dump of 200 MB in rows of 900 KB", peak: "96 MiB",
			fill: []string{client("mariadb") + "-e " + quote(`CREATE DATABASE photos; USE photos; SET group_concat_max_len = 1 << 30; CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB);
				INSERT INTO t SELECT seq, (SELECT REPEAT(GROUP_CONCAT(c SEPARATOR ''), 9) FROM (SELECT RANDOM_BYTES(1000) c FROM seq_1_to_100) r) FROM seq_1_to_220`)},
			ours: "MYSQL_DATABASE=photos exec breaking-backups dump >/dev/null", theirs: "exec " + strings.Replace(wideDump, " wide ", " photos ", 1) + ">/dev/null",
		},
		{
			part: "wide", what: "restore of the same dump", peak: "128 MiB",
			fill:   []string{"MYSQL_DATABASE=photos breaking-backups dump --output $FILE.wide"},
			before: client("mariadb") + "-e 'DROP DATABASE IF EXISTS target; CREATE DATABASE target; RESET MASTER'",
			ours:   "exec breaking-backups restore --database target --file $FILE.wide", theirs: "exec " + client("mariadb") + "--max-allowed-packet=1G target <$FILE.wide",
		},
	},
}

var wideDump = client("mariadb-dump") + "--single-transaction --hex-blob --max-allowed-packet=1G wide "

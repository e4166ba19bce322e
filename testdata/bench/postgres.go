package main

var postgres = bench{
	name:   "PostgreSQL",
	dbType: "postgres",
	env:    []string{"PGDATABASE", "bench"},
	fill: []string{
		"createdb bench", "pgbench -q -i -s 50 bench", "psql -Xq -d bench -c " + quote(`
			CREATE TABLE docs AS SELECT i AS id, 'user ' || i AS name, md5(i::text) || ' ' || md5((i * 7)::text) || ' ' || repeat(md5((i * 13)::text), 2) AS body,
				jsonb_build_object('id', i, 'tags', array[i % 7, i % 11], 'note', md5((i * 3)::text)) AS doc, '2024-01-01'::timestamptz + i * interval '1 second' AS at
				FROM generate_series(1, 1500000) i;
			ALTER TABLE docs ADD PRIMARY KEY (id);
			CREATE INDEX ON docs (name);
			CREATE INDEX ON docs (at);`),
		"psql -Xq -d bench -c 'VACUUM ANALYZE'",
	},
	server:     "head -n 1 \"$(psql -XAtq -d postgres -c 'SHOW data_directory')/postmaster.pid\"",
	dump:       "pg_dump",
	dumpWall:   "0.8",
	dumpCPU:    "1.3",
	backupWall: "0.85",
	second: []change{
		{"second backup after 1,501 adjacent rows of 1.5 million changed, added", "8 MB", `psql -Xq -c "UPDATE docs SET name = name || '!' WHERE id BETWEEN 700000 AND 701500"`},
		{"backup of an untouched database, added", "1 MB", "true"},
	},
	fresh: "dropdb --if-exists target; createdb target; psql -Xq -d postgres -c CHECKPOINT",
	load:  peer{"psql", "exec psql -Xq -v ON_ERROR_STOP=1 -d target -f $FILE", "0.7"},
	// Uncompressed, as ours is; it sorts nothing, as ours does for the sake of the next backup.
	parallelDump: peer{"pg_dump -Fd -j2 -Z0", "exec pg_dump -Fd -j2 -Z0 -f $FOLDER bench", "1.1"},
	parallelLoad: peer{"pg_restore -j2", "exec pg_restore -j2 -d target $FOLDER", "1"},
	parallelAnalyzed: peer{
		"pg_restore -j2 and vacuumdb --analyze-only -j2",
		"pg_restore -j2 -d target $FOLDER && exec vacuumdb -q --analyze-only -j2 target", "1",
	},
	shapes: []shape{
		{
			part: "heap", what: "dump of a large table without a key", wall: "0.8",
			fill: []string{
				"createdb heap", `psql -Xq -d heap -c "CREATE TABLE t AS SELECT i, md5(i::text) AS a, repeat(md5((i * 7)::text), 3) AS b FROM generate_series(1, 5000000) i"`,
				"psql -Xq -d heap -c 'VACUUM ANALYZE'",
			},
			ours: "PGDATABASE=heap exec breaking-backups dump >/dev/null", theirs: "exec pg_dump heap >/dev/null",
		},
		{
			// Three times as large: each of the sessions that read ranges makes the server's
			// buffers its own once, a page fault each, as ranges go through all of them and not
			// through a scan's ring.
			part: "heap", what: "dump of a table of 2.4 GB without a key", wall: "0.8",
			fill: []string{
				"createdb heap3", `psql -Xq -d heap3 -c "CREATE TABLE t AS SELECT i, md5(i::text) AS a, repeat(md5((i * 7::bigint)::text), 3) AS b FROM generate_series(1, 15000000) i"`,
				"psql -Xq -d heap3 -c 'VACUUM ANALYZE'",
			},
			ours: "PGDATABASE=heap3 exec breaking-backups dump >/dev/null", theirs: "exec pg_dump heap3 >/dev/null",
		},
		{
			part: "small", what: "dump of a small database", wall: "1",
			fill: []string{"createdb small", `psql -Xq -d small -c "CREATE TABLE a (id integer PRIMARY KEY, b text); INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 1000) i;
				CREATE TABLE b (id serial PRIMARY KEY, a integer REFERENCES a); CREATE VIEW v AS TABLE a; CREATE INDEX ON a (b)"`},
			ours: "PGDATABASE=small exec breaking-backups dump >/dev/null", theirs: "exec pg_dump small >/dev/null",
		},
		{
			part: "many", what: "dump of 10,000 empty tables", wall: "1", peak: "128 MiB",
			fill: []string{
				"createdb many", `for i in $(seq 10000); do echo "CREATE TABLE t$i (id serial PRIMARY KEY, a text, b timestamptz DEFAULT now());"; done | psql -Xq -d many`,
				"psql -Xq -d many -c 'VACUUM ANALYZE'",
			},
			ours: "PGDATABASE=many exec breaking-backups dump >/dev/null", theirs: "exec pg_dump many >/dev/null",
		},
		{
			part: "many", what: "the same in physical order", wall: "1", peak: "128 MiB",
			ours: "PGDATABASE=many PG_ROW_ORDER=physical exec breaking-backups dump >/dev/null", theirs: "exec pg_dump many >/dev/null",
		},
		{
			part: "many", what: "restore of 10,000 empty tables", wall: "1", peak: "128 MiB",
			fill:   []string{"PGDATABASE=many breaking-backups dump --output $FILE.many"},
			before: "dropdb --if-exists target; createdb target; psql -Xq -d postgres -c CHECKPOINT",
			ours:   "exec breaking-backups restore --database target --file $FILE.many", theirs: "exec psql -Xq -v ON_ERROR_STOP=1 -d target -f $FILE.many >/dev/null",
		},
		{
			part: "databases", what: "dump of a server of 60 small databases", wall: "1", peak: "128 MiB",
			fill: []string{`for i in $(seq 60); do createdb db$i; psql -Xq -d db$i -c "CREATE TABLE a (id serial PRIMARY KEY, b text); INSERT INTO a (b) SELECT md5(i::text) FROM generate_series(1, 500) i; CREATE INDEX ON a (b)"; done`},
			ours: "PGDATABASE=postgres PG_DUMP_ALL=true exec breaking-backups dump >/dev/null", theirs: "exec pg_dumpall >/dev/null",
		},
		{
			part: "objects", what: "dump of 20,000 large objects", wall: "1", peak: "128 MiB",
			fill: []string{"createdb objects", `psql -Xq -d objects -c "SELECT count(lo_from_bytea(0, decode(repeat(md5(i::text), 20), 'hex'))) FROM generate_series(1, 20000) i"`},
			ours: "PGDATABASE=objects exec breaking-backups dump >/dev/null", theirs: "exec pg_dump objects >/dev/null",
		},
	},
}

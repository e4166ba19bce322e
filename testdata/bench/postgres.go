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
	server:     "head -n 1 \"$(psql -XAtqc 'SHOW data_directory')/postmaster.pid\"",
	dump:       "pg_dump",
	dumpWall:   "0.8",
	dumpCPU:    "1.3",
	backupWall: "0.85",
	second: []change{
		{"second backup after 1,501 adjacent rows of 1.5 million changed, added", "8 MB", `psql -Xq -c "UPDATE docs SET name = name || '!' WHERE id BETWEEN 700000 AND 701500"`},
		{"backup of an untouched database, added", "1 MB", "true"},
	},
	fresh:       "dropdb --if-exists target; createdb target; psql -Xqc CHECKPOINT",
	load:        "psql -Xq -v ON_ERROR_STOP=1 -d target -f $FILE",
	restoreWall: "0.75",
}

package dump

import "bytes"

// formats are known by how they begin: what a stream is then, and what its owner can do.
var formats = []struct{ begin, what, do string }{
	{"\x1f\x8b", "it is compressed by gzip", "zcat it first"},
	{"\x28\xb5\x2f\xfd", "it is compressed by zstd", "zstdcat it first"},
	{"PGDMP", "it is an archive of pg_dump", "use pg_restore"},
	{"\x6d\xe2\x99\x81", "it is an archive of MongoDB", ""},
	{headPrefix, "it is a dump of another kind of database", ""},
	{"-- breaking-backups dump ", "a newer version of breaking-backups made it", ""},
}

// SniffSize is how much of a stream Sniff has to see to know all that it knows.
const SniffSize = 32

// Sniff says what a stream is that begins like this and cannot be read as a dump, and what its
// owner can do, as far as either is known; else they are empty.
func Sniff(head []byte) (what, do string) {
	for _, f := range formats {
		if bytes.HasPrefix(head, []byte(f.begin)) {
			return f.what, f.do
		}
	}
	return "", ""
}

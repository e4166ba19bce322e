package mysql

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What is written of a row is the same whether its values are read in slices or, as those of
// MyISAM, as a whole; and it is the row, whatever its key.
func TestWideRows(t *testing.T) {
	my := testServer(t)
	const wide = "a LONGBLOB, b LONGTEXT CHARACTER SET utf8mb4, c LONGTEXT CHARACTER SET latin1, d LONGTEXT CHARACTER SET gbk"
	// All are longer than a slice, and have slices that end within letters.
	long := []string{"UNHEX(REPEAT('00275C0A', 270000))", "REPEAT('dü€😀\\'', 110000)", "REPEAT(CONVERT(UNHEX('E9274180') USING latin1), 270000)", "REPEAT('d中', 400000)"}
	values := func(row int) string {
		list := []string{"''", "NULL", "'é'", "'中'"}
		if row != 1 {
			list[row%4] = long[row%4]
		}
		return strings.Join(list, ", ")
	}
	down := " DESC"
	if my.family == server.MySQL {
		down = "" // its MyISAM has no such keys
	}
	var script strings.Builder
	for _, table := range []struct {
		definition string
		keys       []string
	}{
		{"number (k BIGINT UNSIGNED, " + wide + ", PRIMARY KEY (k))", []string{"0", "1", "2", "3", "4", "5", "18446744073709551615"}},
		{"text_down (k VARCHAR(20) CHARACTER SET utf8mb4, l DATETIME(3), m DECIMAL(10,2), " + wide + ", PRIMARY KEY (k, l" + down + ", m))", []string{
			"'a''\\\\', '2020-01-02 03:04:05.006', -1.50", "'a''\\\\', '2020-01-02', -1.50", "'a''\\\\', '2020-01-02', 2", "'ü', '2020-01-02', 2", "'ü', '0000-00-00', 2",
		}},
		{"octets (k BINARY(4), " + wide + ", PRIMARY KEY (k))", []string{"0x00000000", "0x00275C0A", "0xFFFFFFFF"}},
		{"chosen (k ENUM('b', 'a'), " + wide + ", PRIMARY KEY (k))", []string{"'b'", "'a'"}},
		{"none (k INT, " + wide + ")", []string{"2", "1", "3", "3"}},
	} {
		name, _, _ := strings.Cut(table.definition, " ")
		fmt.Fprintf(&script, "CREATE TABLE %s ENGINE=InnoDB;\n", table.definition)
		for i, key := range table.keys {
			fmt.Fprintf(&script, "INSERT INTO %s VALUES (%s, %s);\n", name, key, values(i))
		}
	}
	sliced, whole, restored := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	prefix := "SET NAMES utf8mb4; SET sql_mode = '';\n"
	my.client(t, sliced, []byte(prefix+script.String()))
	my.client(t, whole, []byte(strings.ReplaceAll(prefix+script.String(), "InnoDB", "MyISAM")))
	stream := my.dump(t, Config{Databases: []string{sliced}, Jobs: 3})
	want := bytes.ReplaceAll(my.dump(t, Config{Databases: []string{whole}, Warn: func(string) {}}), []byte("MyISAM"), []byte("InnoDB"))
	if got, want := withoutTrailer(stream), withoutTrailer(want); !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		around := func(b []byte) []byte { return b[max(0, at-100):min(len(b), at+100)] }
		t.Fatalf("in slices it is another dump, from byte %d on: %d bytes instead of %d\n%q\n%q", at, len(got), len(want), around(got), around(want))
	}
	if err := my.load(t, LoadConfig{Database: restored}, stream); err != nil {
		t.Fatal(err)
	}
	sums := func(db string) []string {
		return lines(strings.ReplaceAll(my.Query(t, db, "CHECKSUM TABLE number, text_down, octets, chosen, none"), db+".", ""))
	}
	if diff := cmp.Diff(sums(sliced), sums(restored)); diff != "" {
		t.Errorf("checksums (-original +restored):\n%s", diff)
	}
}

// withoutTrailer is a dump without its last line.
func withoutTrailer(stream []byte) []byte {
	return stream[:bytes.LastIndexByte(bytes.TrimSuffix(stream, []byte("\n")), '\n')]
}

// The rows that follow one are found by its key, not by passing over those before it.
func TestPagesOfACompositeKey(t *testing.T) {
	my := testServer(t)
	const rows = 20000
	for name, table := range map[string]struct{ key, values string }{
		"two columns":       {"(a, b)", "1, %d, 0"},
		"three columns":     {"(a, b, c)", "1, %d DIV 1000, %[1]d"},
		"one of them falls": {"(a, b DESC, c)", "1, %d DIV 1000, %[1]d"},
	} {
		t.Run(name, func(t *testing.T) {
			db := my.CreateDB(t)
			var script strings.Builder
			fmt.Fprintf(&script, "CREATE TABLE t (a INT, b INT, c INT, d MEDIUMTEXT, PRIMARY KEY %s) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;\n", table.key)
			fmt.Fprintf(&script, "INSERT INTO t VALUES (0, 0, 0, ''), (2, 0, 0, '')")
			for i := range rows {
				fmt.Fprintf(&script, ", ("+table.values+", 'text')", i)
			}
			my.client(t, db, []byte(script.String()))
			my.pretend(t, db, "t", rows, rows*256<<10) // a query is for the fewest rows
			before := my.status(t, "Handler_read_next")
			stream := my.dump(t, Config{Databases: []string{db}})
			if read := my.status(t, "Handler_read_next") - before; read > 3*rows {
				t.Errorf("the server has read %d rows of %d", read, rows)
			}
			if n := bytes.Count(stream, []byte("'text'")); n != rows {
				t.Errorf("the dump has %d rows of %d", n, rows)
			}
		})
	}
}

// Where the server has no statistics yet, the queries grow by what they bring.
func TestPagesWithoutStatistics(t *testing.T) {
	my := testServer(t)
	const rows = 20000
	db := my.CreateDB(t)
	var script strings.Builder
	script.WriteString("CREATE TABLE t (k INT PRIMARY KEY, d MEDIUMTEXT) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;\nINSERT INTO t VALUES (0, 'text')")
	for i := 1; i < rows; i++ {
		fmt.Fprintf(&script, ", (%d, 'text')", i)
	}
	my.client(t, db, []byte(script.String()))
	my.pretend(t, db, "t", 0, 16<<10)
	before := my.status(t, "Com_select")
	stream := my.dump(t, Config{Databases: []string{db}})
	if n := my.status(t, "Com_select") - before; n > 150 {
		t.Errorf("the dump took %d queries", n)
	}
	if n := bytes.Count(stream, []byte("'text'")); n != rows {
		t.Errorf("the dump has %d rows of %d", n, rows)
	}
}

// Rows whose unique key is too long for an order are each in the dump, and once, though they begin
// alike.
func TestWideRowsWithHashedKeys(t *testing.T) {
	my := testServer(t)
	if my.family == server.MySQL {
		t.Skip("has no such keys")
	}
	const rows = 500
	db := my.CreateDB(t)
	my.client(t, db, []byte(fmt.Sprintf(`CREATE TABLE docs (body LONGTEXT CHARACTER SET latin1 NOT NULL, UNIQUE (body)) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;
		CREATE TABLE notes (body VARCHAR(10000) CHARACTER SET utf8mb4 NOT NULL, more LONGTEXT, UNIQUE (body)) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;
		INSERT INTO docs SELECT CONCAT(REPEAT('x', 9000), 'row', (seq * 7919) %% %d, 'end') FROM seq_1_to_%[1]d;
		INSERT INTO notes SELECT body, '' FROM docs`, rows)))
	for _, table := range []string{"docs", "notes"} {
		my.pretend(t, db, table, rows, rows*256<<10)
	}
	stream := my.dump(t, Config{Databases: []string{db}})
	for i := range rows {
		if n := bytes.Count(stream, fmt.Appendf(nil, "xrow%dend'", i)); n != 2 {
			t.Fatalf("row %d is in the dump %d times, not once of each table", i, n)
		}
	}
}

// pretend gives the server statistics of a table, which it reads when it has a name that it did not
// have.
func (my *testMySQL) pretend(t *testing.T, db, table string, rows, size int) {
	t.Helper()
	my.Query(t, db, fmt.Sprintf("UPDATE mysql.innodb_table_stats SET n_rows = %d, clustered_index_size = %d DIV @@innodb_page_size WHERE database_name = '%s' AND table_name = '%s'", rows, size, db, table))
	my.Query(t, db, fmt.Sprintf("RENAME TABLE %s TO other; RENAME TABLE other TO %[1]s", table))
	got := strings.TrimSpace(my.Query(t, db, fmt.Sprintf("SELECT data_length FROM information_schema.tables WHERE table_schema = '%s' AND table_name = '%s'", db, table)))
	if got != strconv.Itoa(size) {
		t.Fatalf("the server takes table %s to have %s bytes, not %d", table, got, size)
	}
}

// status is one of the server's counters.
func (my *testMySQL) status(t *testing.T, name string) int {
	t.Helper()
	_, value, _ := strings.Cut(strings.TrimSpace(my.Query(t, "", "SHOW GLOBAL STATUS LIKE '"+name+"'")), "\t")
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A row takes no more memory than a slice of it does.
func TestMemoryOfAWideRow(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	const length = 16 << 20
	my.Query(t, db, fmt.Sprintf("CREATE TABLE t (k INT PRIMARY KEY, b LONGBLOB); INSERT INTO t VALUES (1, REPEAT(UNHEX('00'), %d))", length))
	w := &measuringWriter{}
	runtime.GC()
	w.measure()
	before := w.peak
	if err := my.source(t, Config{Databases: []string{db}}).Dump(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if w.written < 2*length {
		t.Fatalf("the dump has %d bytes", w.written)
	}
	if used := w.peak - before; used > length {
		t.Errorf("a row of %d bytes took %d bytes of memory", length, used)
	}
}

// A measuringWriter keeps the most memory that is in use when something is written.
type measuringWriter struct {
	written, measured int
	peak              uint64
}

func (w *measuringWriter) Write(p []byte) (int, error) {
	if w.written += len(p); w.written-w.measured > 4<<20 {
		w.measured = w.written
		w.measure()
	}
	return len(p), nil
}

func (w *measuringWriter) measure() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.peak = max(w.peak, m.HeapInuse)
}

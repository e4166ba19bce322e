package mysql

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// What is written of a row is the same whether its values are read in slices or, as those of MyISAM, as a whole; and it
// is the row, whatever its key.
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
	if my.family == familyMySQL {
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

// Letters that are cut in two are read as those that are not.
func FuzzUTF8InParts(f *testing.F) {
	for _, text := range []string{"", "a", "ü", "€uro", "😀", "\xff", "a\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80", "'\\\n\x00"} {
		f.Add([]byte(text), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		var got, begun []byte
		ok := true
		for rest := text; len(rest) > 0 && ok; {
			n := min(len(rest), int(size)+1)
			part := append(begun, rest[:n]...)
			var left int
			got, left, ok = appendUTF8(got, part)
			begun, rest = bytes.Clone(part[len(part)-left:]), rest[n:]
		}
		if ok = ok && len(begun) == 0; ok != utf8.Valid(text) {
			t.Fatalf("%q: valid: %v", text, ok)
		}
		if want, _ := appendEscaped(nil, text); ok && !bytes.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

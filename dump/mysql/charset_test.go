package mysql

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every letter of the sets whose letters have several bytes comes back as the bytes that it was,
// and nearly all leave as text: in hexadecimal digits they take twice their length, which may be
// too much for one statement.
func TestLettersOfSeveralBytes(t *testing.T) {
	my := testServer(t)
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	octets := func(name string, from, to int) string {
		list := make([]string, 0, to-from+1)
		for i := from; i <= to; i++ {
			list = append(list, fmt.Sprintf("SELECT 0x%02X AS x", i))
		}
		return "(" + strings.Join(list, " UNION ALL ") + ") " + name
	}
	var script, tables strings.Builder
	script.WriteString("SET sql_mode = '', group_concat_max_len = 1 << 20;\n")
	for _, set := range []string{"big5", "gbk", "sjis", "cp932", "euckr", "gb2312", "ujis", "eucjpms", "gb18030", "ucs2", "utf16", "utf16le", "utf32"} {
		if my.Query(t, "", "SELECT COUNT(*) FROM information_schema.character_sets WHERE character_set_name = '"+set+"'") == "0" {
			continue
		}
		fmt.Fprintf(&script, "CREATE TABLE %s (k INT PRIMARY KEY AUTO_INCREMENT, a TEXT CHARACTER SET %[1]s, KEY (a(5)));\n", set)
		fmt.Fprintf(&script, "INSERT INTO %s (a) VALUES ('text\\0\\n\\'\\\\日本'), ('中文');\n", set)
		if !strings.ContainsAny(set[:3], "u") || set == "euckr" || set == "ujis" || set == "eucjpms" {
			code := "CONVERT(CONCAT(a.x, b.x) USING " + set + ")"
			fmt.Fprintf(&script, "INSERT INTO %s (a) SELECT GROUP_CONCAT(%s ORDER BY b.x SEPARATOR '') FROM %s JOIN %s WHERE HEX(CONVERT(CONVERT(%[2]s USING utf8mb4) USING %[1]s)) = HEX(CONCAT(a.x, b.x)) GROUP BY a.x ORDER BY a.x;\n", set, code, octets("a", 0x81, 0xfe), octets("b", 0x40, 0xfe))
		} else {
			fmt.Fprintf(&script, "INSERT INTO %s (a) VALUES ('日本😀é');\n", set)
		}
		tables.WriteString(", " + set)
	}
	my.client(t, db, []byte(script.String()))
	stream := my.dump(t, Config{Databases: []string{db}})
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	sums := func(db string) []string {
		return lines(strings.ReplaceAll(my.Query(t, db, "CHECKSUM TABLE "+tables.String()[2:]), db+".", ""))
	}
	for _, restored := range []string{byClient, natively} {
		if diff := cmp.Diff(sums(db), sums(restored)); diff != "" {
			t.Errorf("checksums (-original +restored):\n%s", diff)
		}
	}
	// To sjis a backslash is a letter of two bytes as well, and to big5 some letters have two
	// numbers.
	if rows, digits := bytes.Count(stream, []byte("\n(")), bytes.Count(stream, []byte(",_")); rows < 700 || digits > 3 {
		t.Errorf("of %d rows %d are in hexadecimal digits", rows, digits)
	}
}

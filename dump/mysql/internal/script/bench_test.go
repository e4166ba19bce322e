package script

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// repeat writes statements of about 256 KiB, 64 MiB in all, of such rows.
func inserts(row func(i int) string) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 64<<20; {
		b.WriteString("INSERT INTO `docs` VALUES\n")
		for begin := b.Len(); ; i++ {
			b.WriteString(row(i))
			if b.Len()-begin > 256<<10 {
				b.WriteString(";\n")
				break
			}
			b.WriteString(",\n")
		}
	}
	return b.Bytes()
}

func benchmark(b *testing.B, script []byte) {
	b.SetBytes(int64(len(script)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(struct{ io.Reader }{bytes.NewReader(script)}, 0)
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkRows(b *testing.B) {
	text := strings.Repeat("f3a1b2c4d5e6", 12)
	benchmark(b, inserts(func(i int) string {
		return fmt.Sprintf(`(%d,'user %d','%s','{\"id\": %d, \"tags\": [%d, %d]}','2024-01-01 00:%02d:%02d')`, i, i, text, i, i%7, i%11, i%60, i%60)
	}))
}

func BenchmarkNumbers(b *testing.B) {
	benchmark(b, inserts(func(i int) string { return fmt.Sprintf(`(%d,%d,-%d.%d,NULL,%d)`, i, i*7, i, i%100, i%3) }))
}

func BenchmarkShortStrings(b *testing.B) {
	benchmark(b, inserts(func(i int) string { return fmt.Sprintf(`(%d,'a','b%d','2024-01-01')`, i, i%10) }))
}

func BenchmarkBlobs(b *testing.B) {
	hex := strings.Repeat("DEADBEEF", 1<<12)
	benchmark(b, inserts(func(i int) string { return fmt.Sprintf(`(%d,0x%s)`, i, hex) }))
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat(`It\'s a line of text,\nas long as they come. `, 1<<8)
	benchmark(b, inserts(func(i int) string { return fmt.Sprintf(`(%d,'%s')`, i, text) }))
}

func BenchmarkDefinitions(b *testing.B) {
	var s bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&s, "--\n-- Table structure for table `order_lines_%d`\n--\n\nDROP TABLE IF EXISTS `order_lines_%d`;\n/*!40101 SET @saved_cs_client     = @@character_set_client */;\n"+
			"CREATE TABLE `order_lines_%d` (\n  `id` bigint(20) NOT NULL,\n  `order` bigint(20) DEFAULT NULL,\n  `note` text DEFAULT 'it''s',\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n", i, i, i)
	}
	benchmark(b, s.Bytes())
}

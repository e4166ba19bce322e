package value

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

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
			got, left, ok = AppendUTF8(got, part)
			begun, rest = bytes.Clone(part[len(part)-left:]), rest[n:]
		}
		if ok = ok && len(begun) == 0; ok != utf8.Valid(text) {
			t.Fatalf("%q: valid: %v", text, ok)
		}
		if want, _ := quote.AppendEscaped(nil, text); ok && !bytes.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

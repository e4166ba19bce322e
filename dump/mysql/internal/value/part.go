package value

import (
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// An Appender appends a part of a value as it stands within quotes or among digits. left is the
// number of bytes at the part's end that are only the beginning of a letter. Where it returns false
// the value cannot be written so.
type Appender func(b, part []byte) (appended []byte, left int, ok bool)

func AppendOctets(b, part []byte) ([]byte, int, bool) {
	b, _ = quote.AppendEscaped(b, part)
	return b, 0, true
}

func AppendHexadecimal(b, part []byte) ([]byte, int, bool) {
	return quote.AppendDigits(b, part), 0, true
}

func AppendUTF8(b, part []byte) ([]byte, int, bool) {
	left := unfinished(part)
	if !utf8.Valid(part[:len(part)-left]) {
		return b, 0, false
	}
	b, _ = quote.AppendEscaped(b, part[:len(part)-left])
	return b, left, true
}

// unfinished is the number of bytes at the end of text that begin a letter of UTF-8 and do not end
// it.
func unfinished(text []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return i
		}
	}
	return 0
}

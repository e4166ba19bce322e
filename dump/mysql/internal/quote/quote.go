// Package quote writes names and strings as SQL text has them, and finds its way around those that
// are in a text already.
//
// It knows quotes and nothing of statements; those are read by package script. What is written here
// is for sessions whose sql_mode is this program's own.
package quote

import (
	"slices"
	"strings"
)

// Name quotes a name. It always quotes: which words need it differs between versions.
func Name(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// Unquoted is the name that ident has quoted.
func Unquoted(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "``", "`") }

// Literal quotes s as a string constant in which a backslash escapes.
func Literal(s string) string {
	b, _ := Append(nil, []byte(s))
	return string(b)
}

// escapes is what has to be written for a byte within quotes behind a backslash, or 0 for the byte
// itself; 1 is for what is no ASCII. A line feed is escaped too, so that a row stays in its line.
var escapes = func() (e [256]byte) {
	for i := 128; i < 256; i++ {
		e[i] = 1
	}
	for c, letter := range map[byte]byte{0: '0', '\n': 'n', '\r': 'r', 0x1a: 'Z', '\'': '\'', '\\': '\\'} {
		e[c] = letter
	}
	return e
}()

// Escape is what has to be written within quotes behind a backslash for a byte, or 0 for the byte
// itself.
func Escape(c byte) byte {
	if e := escapes[c]; e > 1 {
		return e
	}
	return 0
}

// Append appends text as a string constant and tells whether it is ASCII.
func Append(b, text []byte) ([]byte, bool) {
	b, ascii := AppendEscaped(append(b, '\''), text)
	return append(b, '\''), ascii
}

// AppendEscaped appends text as it stands between the quotes of a string constant, and tells
// whether it is ASCII.
func AppendEscaped(b, text []byte) ([]byte, bool) {
	ascii := true
	from := 0
	for i, c := range text {
		switch e := escapes[c]; e {
		case 0:
		case 1:
			ascii = false
		default:
			b = append(b, text[from:i]...)
			b = append(b, '\\', e)
			from = i + 1
		}
	}
	return append(b, text[from:]...), ascii
}

// AppendHex appends bytes as a hexadecimal constant.
func AppendHex(b, bytes []byte) []byte {
	if len(bytes) == 0 {
		return append(b, "''"...)
	}
	return AppendDigits(append(b, "0x"...), bytes)
}

// AppendDigits appends the hexadecimal digits of bytes.
func AppendDigits(b, bytes []byte) []byte {
	at := len(b)
	b = slices.Grow(b, 2*len(bytes))[:at+2*len(bytes)]
	digits := b[at:]
	for i, c := range bytes {
		pair := digits[2*i : 2*i+2 : 2*i+2]
		pair[0], pair[1] = hexDigits[c>>4], hexDigits[c&15]
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

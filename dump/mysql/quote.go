package mysql

import (
	"slices"
	"strings"
)

// ident quotes a name. It always quotes: which words need it differs between versions.
func ident(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// unquoted is the name that ident has quoted.
func unquoted(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "``", "`") }

// literal quotes s as a string constant, for sessions whose sql_mode is this
// package's: a backslash escapes.
func literal(s string) string {
	b, _ := appendQuoted(nil, []byte(s))
	return string(b)
}

// escapes is what has to be written for a byte within quotes behind a
// backslash, or 0 for the byte itself; 1 is for what is no ASCII. A line feed is
// escaped too, so that a row stays in its line.
var escapes = func() (e [256]byte) {
	for i := 128; i < 256; i++ {
		e[i] = 1
	}
	for c, letter := range map[byte]byte{0: '0', '\n': 'n', '\r': 'r', 0x1a: 'Z', '\'': '\'', '\\': '\\'} {
		e[c] = letter
	}
	return e
}()

// appendQuoted appends text as a string constant and tells whether it is ASCII.
func appendQuoted(b, text []byte) ([]byte, bool) {
	b, ascii := appendEscaped(append(b, '\''), text)
	return append(b, '\''), ascii
}

// appendEscaped appends text as it stands between the quotes of a string constant, and tells whether it is ASCII.
func appendEscaped(b, text []byte) ([]byte, bool) {
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

// appendHex appends bytes as a hexadecimal constant.
func appendHex(b, bytes []byte) []byte {
	if len(bytes) == 0 {
		return append(b, "''"...)
	}
	return appendDigits(append(b, "0x"...), bytes)
}

// appendDigits appends the hexadecimal digits of bytes.
func appendDigits(b, bytes []byte) []byte {
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

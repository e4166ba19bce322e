package mysql

import "strings"

// ident quotes a name. It always quotes: which words need it differs between versions.
func ident(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// unquoted is the name that ident has quoted.
func unquoted(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "``", "`") }

// literal quotes s as a string constant, for sessions whose sql_mode is this
// package's: a backslash escapes.
func literal(s string) string { return string(appendText(nil, []byte(s))) }

// escapes is what has to be written for a byte within quotes, or 0 for the byte
// itself. A line feed is written too, so that a row stays in its line; bytes
// above 127 are parts of UTF-8 letters.
var escapes = [256]byte{0: '0', '\n': 'n', '\r': 'r', 0x1a: 'Z', '\'': '\'', '\\': '\\'}

// appendText appends text as a string constant.
func appendText(b, text []byte) []byte {
	b = append(b, '\'')
	from := 0
	for i, c := range text {
		if e := escapes[c]; e != 0 {
			b = append(b, text[from:i]...)
			b = append(b, '\\', e)
			from = i + 1
		}
	}
	b = append(b, text[from:]...)
	return append(b, '\'')
}

// appendHex appends bytes as a hexadecimal constant.
func appendHex(b, bytes []byte) []byte {
	if len(bytes) == 0 {
		return append(b, "''"...)
	}
	b = append(b, "0x"...)
	for _, c := range bytes {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

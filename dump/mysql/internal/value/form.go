// Package value writes a column's values as SQL has them: numbers and dates as they are when they
// can be such, text and bytes quoted or in digits, text of character sets other than UTF-8 so that
// it leads back to the same bytes, and each in parts where it is too long to be held as a whole.
//
// Which form a column's values have is for package catalog to say, which knows the columns; what
// stands around them in a statement is for package rows.
package value

import (
	"bytes"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A Form is how a value that the server sent is written.
type Form byte

const (
	Text   Form = iota // a string constant: the bytes are UTF-8, or should be
	Plain              // as it is: a number
	Float              // a number with an exponent, which may be minus zero
	Quoted             // in quotes as it is: a date, an address
	Hex                // a hexadecimal constant
	Legacy             // text in a character set of its own
	JSON               // a document of MySQL's: text, or a scalar that its text does not tell
	End                // the end of a row's validity: a date, or DEFAULT for one that is valid
)

// bare are the bytes of values that are written without escapes: numbers, and dates, times, UUIDs
// and addresses in their quotes.
var bare = func() (forms [End + 1][256]bool) {
	for form, letters := range map[Form]string{
		Plain: "0123456789-.", Float: "0123456789-+.einfa", Quoted: "0123456789abcdefABCDEF-+.: /", End: "0123456789-+.: ",
	} {
		for _, c := range []byte(letters) {
			forms[form][c] = true
		}
	}
	return forms
}()

// longestBare is the length of the longest of them, in bytes: a DOUBLE(255,30) has up to 309 digits
// before its point, and ZEROFILL fills numbers up.
const longestBare = 400

// Holds tells whether a value that the server sent can be one of this form. What is escaped may be
// anything.
func (f Form) Holds(value []byte) bool {
	switch f {
	case Plain, Float, Quoted, End:
	default:
		return true
	}
	if len(value) == 0 || len(value) > longestBare {
		return false
	}
	for i, c := range value {
		if !bare[f][c] || c == '-' && i > 0 && value[i-1] == '-' { // two of them begin a comment
			return false
		}
	}
	return true
}

// mostDigits is how many digits a decimal number can have.
const mostDigits = 65

// appendFloat appends a number as the server shows it.
func appendFloat(b, text []byte) []byte {
	switch {
	case string(text) == "-0":
		return append(b, "-0e0"...) // -0 is an integer, and has no sign
	case len(text) > 0 && text[len(text)-1] > '9': // inf, nan
		return append(b, "NULL"...) // SQL has no word for it
	case len(text) > mostDigits && bytes.IndexByte(text, 'e') < 0:
		return append(append(b, text...), "e0"...) // or it would be a decimal number, of which the servers cut the rest
	}
	return append(b, text...)
}

// LongBinary is the length of a binary value, in bytes, from which on it is written as a string
// rather than as hexadecimal digits. These are twice as long as the value, and a value that a
// server has taken in must not become too long a statement for it.
const LongBinary = 1 << 20

// Append appends a value that the server sent, which this form holds, as SQL has it. set is the
// character set of a Legacy one.
func (f Form) Append(b, value []byte, set *Charset) []byte {
	switch f {
	case Plain:
		return append(b, value...)
	case Float:
		return appendFloat(b, value)
	case Quoted, End:
		b = append(b, '\'')
		b = append(b, value...)
		return append(b, '\'')
	case Hex:
		if len(value) >= LongBinary {
			b, _ = quote.Append(append(b, "_binary "...), value)
			return b
		}
		return quote.AppendHex(b, value)
	case Legacy:
		return set.append(b, value)
	case JSON:
		if scalar, ok := appendScalar(b, value); ok {
			return scalar
		}
	}
	begin := len(b)
	b, ascii := quote.Append(b, value)
	if !ascii && !utf8.Valid(value) {
		return quote.AppendHex(b[:begin], value)
	}
	return b
}

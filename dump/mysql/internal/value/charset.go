package value

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A Charset is what has to be known to write text of a character set other than UTF-8. Values are
// read in the bytes in which they are stored: were the server asked to convert them, those that
// have no UTF-8 of their own would be lost.
type Charset struct {
	name string
	// letters are the UTF-8 of each byte, for bytes that UTF-8 leads back to.
	letters [256]string
	// pairs are the letters of two bytes that UTF-8 leads back to, by the number that these are;
	// nil: the set has none.
	pairs []rune
	// decode reads the first letter of text in a set whose units are longer than a byte, and
	// returns how many bytes it has: 0 where the text ends within it. nil: it is another set.
	decode func(text []byte) (letter rune, size int)
}

// ReadCharset learns a character set from the server.
func ReadCharset(ctx context.Context, c *server.Conn, name string) (*Charset, error) {
	if err := guard.MustBe(guard.WordForm, "a character set", name); err != nil {
		return nil, err
	}
	set := &Charset{name: name}
	if set.decode = unicodeSets[name]; set.decode != nil {
		return set, nil
	}
	var longest int
	err := c.Row(ctx, "SELECT maxlen FROM information_schema.character_sets WHERE character_set_name = "+quote.Literal(name), &longest)
	if err == nil {
		err = set.readLetters(ctx, c, longest > 1)
	}
	if err == nil && longest > 1 {
		err = set.readPairs(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("character set %s: %w", name, err)
	}
	return set, nil
}

func (set *Charset) readLetters(ctx context.Context, c *server.Conn, ascii bool) error {
	bytes := 256
	if ascii {
		bytes = 128
	}
	queries := make([]string, bytes)
	for i := range queries {
		utf8 := fmt.Sprintf("CONVERT(_%s 0x%02X USING utf8mb4)", set.name, i)
		queries[i] = fmt.Sprintf("SELECT %d AS byte, %s AS letter, HEX(CONVERT(%s USING %s)) AS back", i, utf8, utf8, set.name)
	}
	rows, err := c.List(ctx, strings.Join(queries, " UNION ALL "))
	if err != nil {
		return err
	}
	for _, r := range rows {
		i, err := strconv.Atoi(r["byte"])
		if err != nil {
			return err
		}
		if i < 0 || i >= bytes {
			return fmt.Errorf("the server sent %d for a byte", i)
		}
		// One letter, and one of ASCII only where the byte is it: escapes are for those.
		letter, length := utf8.DecodeRuneInString(r["letter"])
		one := length == len(r["letter"]) && letter != utf8.RuneError && (letter >= utf8.RuneSelf || letter == rune(i))
		same := r["back"] == fmt.Sprintf("%02X", i)
		if one && same && (!ascii || letter == rune(i)) {
			set.letters[i] = r["letter"]
		}
	}
	return nil
}

// readPairs learns the letters behind ASCII of a set that has some of two bytes. Those of three and
// four are left out.
func (set *Charset) readPairs(ctx context.Context, c *server.Conn) error {
	set.pairs = make([]rune, 1<<16)
	octets := func(from, to int) string {
		list := make([]string, 0, to-from+1)
		for i := from; i <= to; i++ {
			list = append(list, fmt.Sprintf("SELECT 0x%02X AS x", i))
		}
		return strings.Join(list, " UNION ALL ")
	}
	first, second := octets(0x80, 0xff), octets(0x40, 0xfe)
	text := "CONVERT(CONVERT(code USING " + set.name + ") USING utf8mb4)"
	rows, err := c.List(ctx, "SELECT HEX(code) AS code, "+text+" AS letter FROM (SELECT x AS code FROM ("+first+") a UNION ALL SELECT CONCAT(b.x, c.x) FROM ("+first+") b JOIN ("+second+") c) codes"+
		" WHERE HEX(CONVERT("+text+" USING "+set.name+")) = HEX(code)")
	if err != nil {
		return err
	}
	for _, r := range rows {
		code, err := strconv.ParseUint(r["code"], 16, 16)
		if err != nil || code < utf8.RuneSelf {
			return fmt.Errorf("the server sent %+q for a letter's bytes", guard.Shortened(r["code"]))
		}
		letter, length := utf8.DecodeRuneInString(r["letter"])
		switch {
		case length != len(r["letter"]) || letter == utf8.RuneError || letter < utf8.RuneSelf: // not one
		case len(r["code"]) == 2:
			set.letters[code] = r["letter"]
		default:
			set.pairs[code] = letter
		}
	}
	return nil
}

// unicodeSets are those whose letters are Unicode's numbers.
var unicodeSets = map[string]func([]byte) (rune, int){
	"ucs2":    decode16(binary.BigEndian, false),
	"utf16":   decode16(binary.BigEndian, true),
	"utf16le": decode16(binary.LittleEndian, true),
	"utf32": func(text []byte) (rune, int) {
		if len(text) < 4 {
			return 0, 0
		}
		n := binary.BigEndian.Uint32(text)
		if n > utf8.MaxRune {
			return utf8.RuneError, 4
		}
		return rune(n), 4
	},
}

// decode16 is for units of two bytes. With pairs two of them may be a letter.
func decode16(order binary.ByteOrder, pairs bool) func([]byte) (rune, int) {
	return func(text []byte) (rune, int) {
		if len(text) < 2 {
			return 0, 0
		}
		letter := rune(order.Uint16(text))
		if !pairs || !utf16.IsSurrogate(letter) {
			return letter, 2
		}
		if len(text) < 4 {
			return 0, 0
		}
		return utf16.DecodeRune(letter, rune(order.Uint16(text[2:]))), 4
	}
}

// append appends text of this character set: as UTF-8 where that leads back to the same bytes, else
// as bytes with their character set's name.
func (set *Charset) append(b, text []byte) []byte {
	at := len(b)
	b, left, ok := set.AppendLetters(append(b, '\''), text)
	if !ok || left > 0 {
		return quote.AppendHex(append(b[:at], set.Introducer()...), text)
	}
	return append(b, '\'')
}

// Introducer stands before bytes that are text of this character set.
func (set *Charset) Introducer() string { return "_" + set.name + " " }

// AppendLetters appends text as it stands between the quotes of a string constant in UTF-8. It
// returns false where that would not lead back to the same bytes. See appender.
func (set *Charset) AppendLetters(b, text []byte) ([]byte, int, bool) {
	if set.decode != nil {
		return set.appendDecoded(b, text)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		letter := set.letters[c]
		switch {
		case letter == "" && set.pairs != nil && i+1 == len(text):
			return b, 1, true
		case letter == "" && set.pairs != nil && set.pairs[int(c)<<8|int(text[i+1])] > 0:
			b = utf8.AppendRune(b, set.pairs[int(c)<<8|int(text[i+1])])
			i++
		case letter == "":
			return b, 0, false
		case quote.Escape(c) > 0 && len(letter) == 1 && letter[0] == c:
			b = append(b, '\\', quote.Escape(c))
		default:
			b = append(b, letter...)
		}
	}
	return b, 0, true
}

func (set *Charset) appendDecoded(b, text []byte) ([]byte, int, bool) {
	for i := 0; i < len(text); {
		letter, size := set.decode(text[i:])
		switch {
		case size == 0:
			return b, len(text) - i, true
		case letter == utf8.RuneError || !utf8.ValidRune(letter):
			return b, 0, false
		case letter < utf8.RuneSelf && quote.Escape(byte(letter)) > 0:
			b = append(b, '\\', quote.Escape(byte(letter)))
		default:
			b = utf8.AppendRune(b, letter)
		}
		i += size
	}
	return b, 0, true
}

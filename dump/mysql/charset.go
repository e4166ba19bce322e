package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A charset is what has to be known to write text of a character set other than
// UTF-8. Values are read in the bytes in which they are stored: were the server
// asked to convert them, those that have no UTF-8 of their own would be lost.
type charset struct {
	name string
	// letters are the UTF-8 of each byte, for bytes that UTF-8 leads back to.
	// Of sets with letters of several bytes only those of ASCII are here.
	letters [256]string
}

// charset returns a character set by its name, and learns it from the server the first time.
func (c *catalog) charset(ctx context.Context, name string) (*charset, error) {
	if known := c.charsets[name]; known != nil {
		return known, nil
	}
	if err := mustBe(wordForm, "a character set", name); err != nil {
		return nil, err
	}
	set := &charset{name: name}
	switch name {
	case "ucs2", "utf16", "utf16le", "utf32": // no byte is a letter
	default:
		var longest int
		err := c.conn.row(ctx, "SELECT maxlen FROM information_schema.character_sets WHERE character_set_name = "+literal(name), &longest)
		if err != nil {
			return nil, fmt.Errorf("character set %s: %w", name, err)
		}
		if err := c.readLetters(ctx, set, longest > 1); err != nil {
			return nil, fmt.Errorf("character set %s: %w", name, err)
		}
	}
	c.charsets[name] = set
	return set, nil
}

func (c *catalog) readLetters(ctx context.Context, set *charset, ascii bool) error {
	bytes := 256
	if ascii {
		bytes = 128
	}
	queries := make([]string, bytes)
	for i := range queries {
		utf8 := fmt.Sprintf("CONVERT(_%s 0x%02X USING utf8mb4)", set.name, i)
		queries[i] = fmt.Sprintf("SELECT %d AS byte, %s AS letter, HEX(CONVERT(%s USING %s)) AS back", i, utf8, utf8, set.name)
	}
	rows, err := c.conn.list(ctx, strings.Join(queries, " UNION ALL "))
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

// append appends text of this character set: as UTF-8 where that leads back to
// the same bytes, else as bytes with their character set's name.
func (set *charset) append(b, text []byte) []byte {
	at := len(b)
	b, left, ok := set.appendLetters(append(b, '\''), text)
	if !ok || left > 0 {
		return appendHex(append(b[:at], set.introducer()...), text)
	}
	return append(b, '\'')
}

// introducer stands before bytes that are text of this character set.
func (set *charset) introducer() string { return "_" + set.name + " " }

// appendLetters appends text as it stands between the quotes of a string constant in UTF-8. It returns false where that
// would not lead back to the same bytes. See appender.
func (set *charset) appendLetters(b, text []byte) ([]byte, int, bool) {
	for _, c := range text {
		letter := set.letters[c]
		if letter == "" {
			return b, 0, false
		}
		if e := escapes[c]; e > 1 && len(letter) == 1 && letter[0] == c {
			b = append(b, '\\', e)
			continue
		}
		b = append(b, letter...)
	}
	return b, 0, true
}

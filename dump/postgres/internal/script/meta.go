package script

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// meta reads the meta-command that r.line begins with, its backslash already read, up to the end of
// the line or the next backslash. It reports whether the command makes an item.
func (r *Reader) meta() (Item, bool, error) {
	n := bytes.IndexAny(r.line, " \t\n\r\f\\")
	if n < 0 {
		n = len(r.line)
	}
	if n > 0 && (r.line[0] == ';' || r.line[0] == ':') {
		return Item{}, false, r.errorf(`\%c in SQL is not supported`, r.line[0])
	}
	name := string(r.line[:n])
	if r.restricted && name != "unrestrict" {
		return Item{}, false, r.errorf(`\%.40s: meta-commands are restricted, only \unrestrict is allowed`, name)
	}
	switch name {
	case "c", "connect", "encoding", "restrict", "unrestrict":
	default:
		return Item{}, false, r.errorf(`\%.40s: this meta-command is not supported`, name)
	}
	it, ok, err := r.obey(name, &arguments{rest: r.line[n:]})
	if err != nil {
		return Item{}, false, r.errorf(`\%s: %w`, name, err)
	}
	return it, ok, nil
}

// obey carries out a meta-command as far as the Reader is concerned.
func (r *Reader) obey(name string, args *arguments) (it Item, ok bool, err error) {
	it = Item{Line: r.number}
	switch name {
	case "c", "connect":
		it.Kind = Connect
		it.Text, err = args.database()
		r.std = true // the new session's default, as far as a script can know
	case "encoding":
		it.Text, err = args.encoding()
	default:
		var key string
		if key, _, err = args.next(); err == nil {
			err = r.restrict(name, key)
		}
	}
	if err != nil {
		return it, false, err
	}
	extra, quoted, err := args.next()
	if err != nil {
		return it, false, err
	}
	if extra != "" || quoted {
		return it, false, fmt.Errorf("more arguments than supported: %q", extra)
	}
	r.line = bytes.TrimPrefix(args.rest, []byte(`\\`))
	return it, it.Text != "", nil
}

// restrict enters and leaves the mode in which a dump allows no meta-commands, for its text could
// hold some that a server slipped in (CVE-2025-8714).
func (r *Reader) restrict(name, key string) error {
	switch {
	case key == "":
		return errors.New("a key is missing")
	case name == "restrict":
		r.restricted, r.key = true, key
		return nil
	case !r.restricted:
		return errors.New("not in restricted mode")
	case key != r.key:
		return errors.New("wrong key")
	}
	r.restricted, r.key = false, ""
	return nil
}

// database reads the arguments of \connect. Only the database may change: a name, or a connection
// string that holds nothing else and reuses the other parameters.
func (a *arguments) database() (string, error) {
	arg, quoted, err := a.next()
	if err != nil {
		return "", err
	}
	reuse, asked := strings.CutPrefix(identifierText(arg), "-reuse-previous=")
	if asked {
		if !strings.EqualFold(reuse, "on") {
			return "", fmt.Errorf("-reuse-previous=%s is not supported", reuse)
		}
		if arg, quoted, err = a.next(); err != nil {
			return "", err
		}
	}
	arg = identifierText(arg)
	uri := strings.HasPrefix(arg, "postgresql://") || strings.HasPrefix(arg, "postgres://")
	switch {
	case arg == "" || arg == "-" && !quoted:
		return "", errors.New("no database is named")
	case uri || strings.Contains(arg, "=") && !asked:
		return "", errors.New("a connection string is supported only as -reuse-previous=on \"dbname='…'\"")
	case strings.Contains(arg, "="):
		return parseDatabase(arg)
	}
	return arg, nil
}

// parseDatabase reads a connection string as libpq does (conninfo_parse) and returns its database.
func parseDatabase(s string) (string, error) {
	const spaces = " \t\n\v\f\r"
	value, ok := strings.CutPrefix(strings.TrimLeft(s, spaces), "dbname")
	value, eq := strings.CutPrefix(strings.TrimLeft(value, spaces), "=")
	if !ok || !eq {
		return "", errors.New("only the database may change")
	}
	value = strings.TrimLeft(value, spaces)
	value, quoted := strings.CutPrefix(value, "'")
	var name []byte
	i := 0
	for ; i < len(value); i++ {
		c := value[i]
		if quoted && c == '\'' || !quoted && strings.IndexByte(spaces, c) >= 0 {
			break
		}
		if c == '\\' {
			if i++; i == len(value) {
				break
			}
		}
		name = append(name, value[i])
	}
	if quoted {
		if i >= len(value) {
			return "", errors.New("unterminated quoted string in the connection string")
		}
		i++
	}
	switch {
	case strings.Trim(value[min(i, len(value)):], spaces) != "":
		return "", errors.New("only the database may change")
	case len(name) == 0:
		return "", errors.New("no database is named")
	}
	return string(name), nil
}

// encoding reads the argument of \encoding and returns the statement that psql sends for it.
func (a *arguments) encoding() (string, error) {
	name, _, err := a.next()
	switch {
	case err != nil:
		return "", err
	case name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return c >= 0x80 || class[c] < digit && c != '-' || c == '$'
	}):
		return "", fmt.Errorf("%q is no encoding", name)
	case unsafeEncoding(name):
		return "", fmt.Errorf("client encoding %s is not supported: make the dump in UTF8", name)
	}
	return "set client_encoding to '" + name + "'", nil
}

// arguments reads the arguments of a meta-command by the rules of psqlscanslash.l.
type arguments struct{ rest []byte }

// next returns the next argument without its single quotes and, as psql does for commands that end
// a line, without semicolons at its end; double quotes stay in. At the end of the command it
// returns "" and quoted false.
func (a *arguments) next() (arg string, quoted bool, err error) {
	s := bytes.TrimLeft(a.rest, " \t\n\r\f")
	var text []byte
	plain := 0 // bytes at the end of text that were not quoted
	i := 0
loop:
	for i < len(s) {
		switch c := s[i]; {
		case class[c] == blank || c == '\\':
			break loop
		case c == '`':
			return "", false, errors.New("a command in backquotes is not supported")
		case c == ':' && variable(s[i:]) > 1 && (i+1 == len(s) || s[i+1] != ':' && s[i+1] != '='):
			return "", false, errors.New("psql variables are not supported")
		case c == '"':
			n := bytes.IndexByte(s[i+1:], '"')
			if n < 0 {
				return "", false, errors.New("unterminated quoted string")
			}
			text = append(text, s[i:i+n+2]...)
			i += n + 2
			quoted, plain = true, 0
		case c == '\'':
			n := 0
			if text, n = unquote(text, s[i+1:]); n < 0 {
				return "", false, errors.New("unterminated quoted string")
			}
			i += n + 1
			quoted, plain = true, 0
		default:
			text = append(text, c)
			i++
			plain++
		}
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return "", false, errors.New("a zero byte")
	}
	a.rest = s[i:]
	for plain > 0 && text[len(text)-1] == ';' {
		text = text[:len(text)-1]
		plain--
	}
	return string(text), quoted, nil
}

// unquote appends to dst the string in single quotes that s is the rest of, and returns how many
// bytes of s it took, or -1 when its closing quote is missing.
func unquote(dst, s []byte) ([]byte, int) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' && i+1 < len(s) && s[i+1] == '\'':
			dst = append(dst, c)
			i++
		case c == '\'':
			return dst, i + 1
		case c == '\\' && i+1 < len(s):
			i++
			j, value := i, 0
			if s[i] == 'x' {
				for j = i + 1; j < len(s) && j < i+3 && hex(s[j]) >= 0; j++ {
					value = value<<4 | hex(s[j])
				}
				if j == i+1 {
					j = i // \x and no digit is an x
				}
			} else {
				for ; j < len(s) && j < i+3 && '0' <= s[j] && s[j] <= '7'; j++ {
					value = value<<3 | int(s[j]-'0')
				}
			}
			if j > i {
				dst = append(dst, byte(value))
				i = j - 1
			} else if k := strings.IndexByte("ntbrf", s[i]); k >= 0 {
				dst = append(dst, "\n\t\b\r\f"[k])
			} else {
				dst = append(dst, s[i])
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst, -1
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// identifierText takes the double quotes out of an argument, doubled ones once.
func identifierText(arg string) string {
	var out []byte
	in := false
	for i := 0; i < len(arg); i++ {
		switch {
		case arg[i] != '"':
			out = append(out, arg[i])
		case in && i+1 < len(arg) && arg[i+1] == '"':
			out = append(out, '"')
			i++
		default:
			in = !in
		}
	}
	return string(out)
}

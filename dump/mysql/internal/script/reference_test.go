package script

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// step is what a script is read as: a statement, or a comment.
type step struct {
	Kind Kind
	Line int
	Text string
}

func readAll(r *Reader) (steps []step, err error) {
	for {
		it, err := r.Next()
		if err == io.EOF {
			return steps, nil
		}
		if err != nil {
			return steps, err
		}
		steps = append(steps, step{it.Kind, it.Line, string(it.Text)})
	}
}

func read(script string, mode Mode) ([]step, error) {
	return readAll(NewReader(strings.NewReader(script), mode))
}

// reference reads a script as Reader does, with all of it at hand, a byte at a time, and nothing
// clever. It only says whether there is an error.
func reference(script string, mode Mode) (steps []step, ok bool) {
	s := strings.TrimPrefix(script, "\ufeff")
	delimiter := ";"
	line := func(at int) int { return 1 + strings.Count(s[:at], "\n") }
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	endOfLine := func(i int) int {
		for i < len(s) && s[i] != '\n' {
			i++
		}
		return i
	}
	isBlock := func(i int) bool {
		return at(i) == '/' && at(i+1) == '*' && at(i+2) != '!' && !(at(i+2) == 'M' && at(i+3) == '!' && mode&MySQL == 0)
	}
	isLine := func(i int) bool {
		return at(i) == '#' || at(i) == '-' && at(i+1) == '-' && (i+2 >= len(s) || isBlank(at(i+2)))
	}
	bol := true
	for i := 0; i < len(s); {
		rest := s[i:]
		eol := endOfLine(i)
		word := rest
		for j := range len(rest) {
			if isBlank(rest[j]) || strings.HasPrefix(rest[j:], delimiter) {
				word = rest[:j]
				break
			}
		}
		word = strings.ToLower(word)
		switch {
		case isBlank(s[i]):
			bol = bol || s[i] == '\n'
			i++
			continue
		case len(rest) >= 9 && strings.EqualFold(rest[:9], "delimiter") && (len(rest) == 9 || isBlank(rest[9])):
			d, err := parseDelimiter([]byte(s[i+9 : eol]))
			if err != nil || !bol {
				return steps, false
			}
			delimiter, i = d, eol
			continue
		case strings.HasPrefix(rest, delimiter):
			i += len(delimiter)
			bol = false
			continue
		case isLine(i), strings.HasPrefix(rest, "--"):
			steps = append(steps, step{Comment, line(i), strings.TrimSuffix(s[i:eol], "\r")})
			i = eol
			continue
		case isBlock(i), strings.HasPrefix(rest, `/*M!999999\-`), strings.HasPrefix(rest, `/*!999999\-`):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return steps, false
			}
			i += 2 + n + 2
			bol = false
			continue
		case word == "use" && bol && !strings.Contains(s[i:eol], delimiter):
			steps = append(steps, step{Statement, line(i), string(trimBlanks([]byte(s[i:eol])))})
			i = eol
			continue
		case word != "use" && commands[word]:
			return steps, false
		}

		begin, quote := i, byte(0)
		tagged := func() string { // the $tag$ that begins here
			if mode&DollarQuotes == 0 || i > begin && isLetter(s[i-1]) {
				return ""
			}
			end := i + 1
			for end < len(s) && isLetter(s[end]) && s[end] != '$' {
				end++
			}
			if s[i] != '$' || at(end) != '$' {
				return ""
			}
			return s[i : end+1]
		}
		for {
			if i >= len(s) {
				return steps, false
			}
			switch c := s[i]; {
			case quote != 0:
				escapes := quote != '`' && mode&NoBackslashEscapes == 0 && !(quote == '"' && mode&ANSIQuotes != 0)
				if c == '\\' && escapes {
					i++
				} else if c == quote {
					quote = 0
				}
				i++
				continue
			case c == '\\' && at(i+1) == 'N':
				i += 2
				continue
			case c == '\\':
				return steps, false
			case strings.HasPrefix(s[i:], delimiter):
			case isLine(i):
				i = endOfLine(i)
				continue
			case isBlock(i):
				n := strings.Index(s[i+2:], "*/")
				if n < 0 {
					return steps, false
				}
				i += 2 + n + 2
				continue
			case isQuote(c):
				quote = c
				i++
				continue
			case tagged() != "":
				tag := tagged()
				n := strings.Index(s[i+len(tag):], tag)
				if n < 0 {
					return steps, false
				}
				i += len(tag) + n + len(tag)
				continue
			default:
				i++
				continue
			}
			break
		}
		steps = append(steps, step{Statement, line(begin), string(trimBlanks([]byte(s[begin:i])))})
		i += len(delimiter)
		bol = false
	}
	return steps, true
}

// difference compares what a Reader with a buffer of the given size makes of a script with what the
// reference makes of it.
func difference(script string, mode Mode, buffer int) error {
	want, ok := reference(script, mode)
	got, err := readAll(newReader(strings.NewReader(script), make([]byte, buffer), mode))
	if !slices.Equal(got, want) || ok != (err == nil) {
		return fmt.Errorf("mode %b, buffer %d:\n%q\nread as  %+v, %v\nit is    %+v, %v", mode, buffer, script, got, err, want, ok)
	}
	return nil
}

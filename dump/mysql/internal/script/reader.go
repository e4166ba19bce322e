// Package script reads SQL scripts for the mysql and mariadb clients as a stream: the dumps of this
// program, those of mysqldump and mariadb-dump, and hand-written scripts of that kind. It splits
// them where the clients do and hands out, in order, each statement and the comment lines in
// between.
//
// It runs nothing and knows no server. Commands of the clients other than DELIMITER and USE are
// refused, named by their line: a dump has no need of them and most reach beyond the database
// (source, system, tee).
//
// The rules are those of the clients' own readers (client/mysql.cc: add_line, find_command,
// com_delimiter), and the tests hold the package against the client they find. It departs from them
// on purpose in these cases:
//
//   - a statement keeps its bytes: comments within it (the clients take them out, unless --comments
//     is given, and routines lose theirs), \r\n and zero bytes;
//   - a statement, quote or comment that the end of the script cuts off is an error (the clients
//     send it, or forget it);
//   - a comment within a conditional one, /*! … /* … */ … */, ends where it ends (the clients have
//     it end with the other where both begin in one line);
//   - DELIMITER must begin its line, and the delimiter is 1 to 15 bytes of ASCII without blanks,
//     quotes and backslashes;
//   - the line with which mariadb-dump begins, for which a client of its time has a command, is a
//     comment.
//
// Text is read bytewise, as it is by a client in UTF-8: a letter of GBK or Shift-JIS that holds the
// byte of a quote or a backslash is not understood.
//
// It also reads the statements themselves, as far as a dump's are told apart: what one makes, what
// database it leads to, which rows it has.
package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// A Kind says what an Item is.
type Kind uint8

const (
	Statement Kind = iota // Text is to be sent to the server
	Comment               // a line outside of statements: "-- …" or "# …"
)

// An Item is one step of a script.
type Item struct {
	Kind Kind

	// Line is the number, from 1, of the line where the item begins.
	Line int

	// Text is a statement without its delimiter and the blanks around it, or a comment without its
	// end of line. It is valid until the next call of Next, and may be written to until then.
	Text []byte

	// SetsMode is true for a SET that mentions sql_mode. How the next item is read depends on the
	// mode: ask the server for it and tell SetMode.
	SetsMode bool
}

const (
	bufferSize   = 512 << 10
	keepSize     = 8 << 20 // a larger buffer is not kept for the next statement
	maxStatement = 1 << 30 // the largest max_allowed_packet there is
)

// A Reader reads a script. Beside a buffer of a fixed size it holds no more than the statement that
// it is reading.
type Reader struct {
	r        io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is read and not consumed
	err      error // what r ended with
	limit    int   // of a statement's length

	lx      lexer
	line    int  // of buf[pos]
	started bool // something was read
	bol     bool // nothing but blanks was consumed of that line
	fail    error
}

// NewReader returns a Reader of the script r for a session in the given mode.
func NewReader(r io.Reader, mode Mode) *Reader {
	return newReader(r, make([]byte, bufferSize), mode)
}

func newReader(r io.Reader, buf []byte, mode Mode) *Reader {
	return &Reader{r: r, buf: buf, limit: maxStatement, lx: newLexer(";", mode), line: 1, bol: true}
}

// SetMode says in which mode the session is from the next item on.
func (r *Reader) SetMode(mode Mode) { r.lx.setMode(mode) }

// Next returns the next item. At the end of the script it returns io.EOF; when that end falls
// within a statement, a quote or a comment, an error that wraps io.ErrUnexpectedEOF. Errors name
// the line, wrap what the underlying reader returned, and are final.
func (r *Reader) Next() (Item, error) {
	if r.fail != nil {
		return Item{}, r.fail
	}
	it, err := r.next()
	if err != nil {
		r.fail = err
		return Item{}, err
	}
	return it, nil
}

func (r *Reader) next() (Item, error) {
	r.shrink()
	if !r.started {
		r.started = true
		if w, err := r.peek(3); err != nil {
			return Item{}, err
		} else if bytes.HasPrefix(w, []byte("\ufeff")) {
			r.pos += 3
		}
	}
	for {
		w, err := r.peek(1)
		if err != nil {
			return Item{}, err
		}
		if len(w) == 0 {
			return Item{}, io.EOF
		}
		n := 0
		for n < len(w) && isBlank(w[n]) {
			if w[n] == '\n' {
				r.bol = true
			}
			n++
		}
		r.consume(n)
		if n == len(w) {
			continue
		}
		if w, err = r.peek(len("/*M!999999\\-")); err != nil {
			return Item{}, err
		}
		switch {
		case isDelimiter(w): // before the delimiter itself, which may be a d
			if err := r.setDelimiter(); err != nil {
				return Item{}, err
			}
		case bytes.HasPrefix(w, r.lx.delimiter): // an empty statement
			r.consume(len(r.lx.delimiter))
			r.bol = false
		case w[0] == '#', bytes.HasPrefix(w, []byte("--")):
			return r.comment()
		case isSandbox(w), bytes.HasPrefix(w, []byte("/*")) && !r.lx.conditional(w):
			if err := r.skipBlock(); err != nil {
				return Item{}, err
			}
		default:
			return r.statement()
		}
	}
}

// comment reads a line, which is a comment.
func (r *Reader) comment() (Item, error) {
	w, err := r.restOfLine()
	if err != nil {
		return Item{}, err
	}
	it := Item{Kind: Comment, Line: r.line, Text: bytes.TrimSuffix(w, []byte{'\r'})}
	r.consume(len(w))
	return it, nil
}

// restOfLine returns the window up to the end of the line, which it does not hold.
func (r *Reader) restOfLine() ([]byte, error) {
	for scanned := 0; ; {
		w := r.buf[r.pos:r.end]
		if i := bytes.IndexByte(w[scanned:], '\n'); i >= 0 {
			return w[:scanned+i], nil
		}
		scanned = len(w)
		if err := r.fill(); err == io.EOF {
			return r.buf[r.pos:r.end], nil
		} else if err != nil {
			return nil, err
		}
	}
}

// skipBlock reads past a block comment, of any length.
func (r *Reader) skipBlock() error {
	opened := r.line
	r.consume(2)
	for {
		w, err := r.peek(2)
		if err != nil {
			return err
		}
		if len(w) < 2 {
			return fmt.Errorf("line %d: unterminated comment: %w", opened, io.ErrUnexpectedEOF)
		}
		if i := bytes.Index(w, []byte("*/")); i >= 0 {
			r.consume(i + 2)
			r.bol = false
			return nil
		}
		r.consume(len(w) - 1) // the last may be half of the end
	}
}

// statement reads a statement.
func (r *Reader) statement() (Item, error) {
	word, err := r.command()
	if err != nil {
		return Item{}, err
	}
	switch word {
	case "":
	case "use":
		// Without a delimiter it ends with its line.
		line, err := r.restOfLine()
		if err != nil {
			return Item{}, err
		}
		if r.bol && !bytes.Contains(line, r.lx.delimiter) {
			it := Item{Line: r.line, Text: trimBlanks(line)}
			r.consume(len(line))
			return it, nil
		}
	default:
		return Item{}, r.errorf("the client's command %s is not supported", word)
	}

	r.lx.in = plain
	for scanned := 0; ; {
		w := r.buf[r.pos:r.end]
		last := r.err == io.EOF
		n, ev := r.lx.scan(w, scanned, last)
		switch ev {
		case delimited:
			it := Item{Line: r.line, Text: trimBlanks(w[:n]), SetsMode: SetsMode(w[:n])}
			r.consume(n + len(r.lx.delimiter))
			r.bol = false
			return it, nil
		case command:
			r.consume(n)
			return Item{}, r.errorf("the client's command %q is not supported", w[n:min(n+2, len(w))])
		}
		if scanned = n; len(w) > r.limit {
			return Item{}, r.errorf("statement is longer than %d bytes", r.limit)
		}
		if last {
			return Item{}, r.unterminated()
		}
		if err := r.fill(); err != nil && err != io.EOF {
			return Item{}, err
		}
	}
}

// unterminated says what the end of the script has cut off.
func (r *Reader) unterminated() error {
	what, at := "statement", 0
	if r.lx.in != plain && r.lx.in != lineComment {
		what, at = r.lx.in.String(), r.lx.opened
	}
	line := r.line + bytes.Count(r.buf[r.pos:r.pos+at], []byte{'\n'})
	return fmt.Errorf("line %d: unterminated %s: %w", line, what, io.ErrUnexpectedEOF)
}

// setDelimiter reads a DELIMITER line.
func (r *Reader) setDelimiter() error {
	if !r.bol {
		return r.errorf("DELIMITER must begin its line")
	}
	w, err := r.restOfLine()
	if err != nil {
		return err
	}
	delimiter, err := parseDelimiter(w[len("delimiter"):])
	if err != nil {
		return r.errorf("DELIMITER: %w", err)
	}
	r.consume(len(w))
	r.lx = newLexer(delimiter, r.lx.mode)
	return nil
}

// consume moves past n bytes of the window, which stay as they are until it is filled again.
func (r *Reader) consume(n int) {
	r.line += bytes.Count(r.buf[r.pos:r.pos+n], []byte{'\n'})
	r.pos += n
}

// peek returns the window, filled to at least n bytes unless the script ends before.
func (r *Reader) peek(n int) ([]byte, error) {
	for r.end-r.pos < n {
		if err := r.fill(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return r.buf[r.pos:r.end], nil
}

// fill reads more behind the window, making room where there is none, or returns an error, of which
// io.EOF is the end of the script.
func (r *Reader) fill() error {
	if r.err == io.EOF {
		return io.EOF
	}
	if r.err != nil {
		return r.errorf("%w", r.err)
	}
	if r.pos > 0 {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	if r.end == len(r.buf) {
		if r.end > r.limit {
			return r.errorf("longer than %d bytes", r.limit)
		}
		r.grow()
	}
	for range 100 {
		n, err := r.r.Read(r.buf[r.end:])
		r.end += n
		r.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return r.fill()
		}
	}
	r.err = io.ErrNoProgress
	return r.fill()
}

// grow makes the buffer larger: twice as large while it is small, and then by a quarter at a time,
// as nobody knows how long the statement is. What it was before is given back at once: the
// collector would wait until there is as much of it again as is in use.
func (r *Reader) grow() {
	size := 2 * len(r.buf)
	if len(r.buf) >= keepSize {
		size = len(r.buf) / 4 * 5
	}
	larger := make([]byte, min(size, r.limit+bufferSize))
	copy(larger, r.buf)
	r.buf = larger
	if len(r.buf) > 2*keepSize {
		debug.FreeOSMemory()
	}
}

// shrink gives back what a very long statement took.
func (r *Reader) shrink() {
	size := len(r.buf)
	if size <= keepSize || r.end-r.pos > bufferSize {
		return
	}
	small := make([]byte, bufferSize)
	r.end = copy(small, r.buf[r.pos:r.end])
	r.buf, r.pos = small, 0
	if size > 2*keepSize {
		debug.FreeOSMemory() // also what a driver took for it
	}
}

func (r *Reader) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{r.line}, args...)...)
}

// parseDelimiter reads what follows the word DELIMITER on its line.
func parseDelimiter(s []byte) (string, error) {
	s = trimBlanks(s)
	if len(s) == 0 {
		return "", errors.New("no delimiter")
	}
	if q := s[0]; isQuote(q) {
		i := bytes.IndexByte(s[1:], q)
		if i < 0 {
			return "", errors.New("unterminated quote")
		}
		s = s[1 : 1+i]
	} else if i := bytes.IndexFunc(s, func(c rune) bool { return c < 0x80 && isBlank(byte(c)) }); i >= 0 {
		s = s[:i]
	}
	if len(s) == 0 || len(s) > 15 {
		return "", fmt.Errorf("%.20q is not 1 to 15 bytes long", s)
	}
	for _, c := range s {
		if c <= ' ' || c >= 0x7f || c == '\\' || isQuote(c) {
			return "", fmt.Errorf("%q has a blank, a quote, a backslash or a letter that is not ASCII", s)
		}
	}
	return string(s), nil
}

// Package script reads SQL scripts for psql as a stream: the dumps of this program, the plain
// format of pg_dump and pg_dumpall, and hand-written scripts of that kind. It splits them where
// psql does and hands out, in order, each statement with exactly the text that psql would send, the
// rows of each COPY FROM stdin, each \connect, and the comment lines in between.
//
// Of a dump of this program Items makes what all its readers stand on: it knows where the dump says
// what of itself, and vouches for it.
//
// The package runs nothing, expands no psql variables and knows no server: what becomes of an item
// is up to the caller. Meta-commands other than \connect, \encoding, \restrict and \unrestrict are
// refused, for a dump has no need of them and most reach beyond the database.
//
// The rules are those of psql 15: src/fe_utils/psqlscan.l for SQL, src/bin/psql/psqlscanslash.l for
// meta-commands, mainloop.c for lines and what lies between statements, copy.c (handleCopyIn) for
// rows, command.c for \connect and \restrict; 17 and 18 have the same. The tests hold the package
// against whichever psql they find. It departs from psql on purpose in these cases, always by an
// error:
//
//   - a statement that the end of the script cuts off (psql sends it);
//   - rows of a COPY that the end of the script cuts off (psql takes them for whole);
//   - \; and \: , :{?name}, the byte zero, COPY in binary format, and the client encodings in which
//     a byte of a letter can look like a quote or a backslash.
//
// psql learns standard_conforming_strings from the server. A Reader learns it from SET and RESET
// alone: set_config, a rollback or the default of a database can mislead it.
package script

import (
	"bytes"
	"fmt"
	"io"
)

// A Kind says what an Item is.
type Kind uint8

const (
	Statement Kind = iota // Text is to be sent to the server
	Copy                  // the same, and the server then expects the rows in Data
	Connect               // go on in the database named by Text, in a new session
	Comment               // a line outside of statements that begins with "-- "
)

// An Item is one step of a script.
type Item struct {
	Kind Kind

	// Line is the number, from 1, of the line where the item begins. A statement begins with its
	// first word, though Text holds block comments before it.
	Line int

	// Text is a statement up to and with its semicolon, a database's name, or a comment line
	// without its end of line. As psql does, it leaves out blank lines and -- comments before a
	// statement, and empty lines within one.
	Text string

	// Data is set for Copy alone and may be read until the next call of Next, which skips what is
	// left.
	Data *CopyData
}

// maxStatement is how long a statement may be: the server reads messages of less than 1 GiB, its
// own header and the terminating zero included.
const maxStatement = 1<<30 - 1 - 8

// A Reader reads a script. It holds one buffer of a fixed size and, besides, the statement that it
// is reading.
type Reader struct {
	src     source
	lx      lexer
	std     bool   // standard_conforming_strings, for the lexer from the next line on
	line    []byte // what is left of the current line
	number  int    // of that line
	text    []byte // the statement so far
	newline int    // length of text when a newline was added to it and nothing else since, or -1
	begin   int    // line of the statement's first token
	limit   int    // of a statement's length

	restricted bool   // by \restrict, with this key
	key        string // no key that \unrestrict takes is empty
	data       *CopyData
	err        error // what Next returned last
}

// NewReader returns a Reader of the script r, which is UTF-8 or in another encoding that a
// PostgreSQL server can have.
func NewReader(r io.Reader) *Reader {
	return newReader(source{r: r, buf: make([]byte, bufferSize)})
}

func newReader(src source) *Reader {
	return &Reader{src: src, std: true, newline: -1, limit: maxStatement}
}

// Next returns the next item. At the end of the script it returns io.EOF; when that end falls
// within a statement, a quote, a comment or the rows of a COPY, an error that wraps
// io.ErrUnexpectedEOF. Errors name the line, wrap what the underlying reader returned, and are
// final.
func (r *Reader) Next() (Item, error) {
	if r.err != nil {
		return Item{}, r.err
	}
	it, err := r.next()
	if err != nil {
		r.err = err
		return Item{}, err
	}
	return it, nil
}

func (r *Reader) next() (Item, error) {
	if r.data != nil {
		if err := r.data.close(); err != nil {
			return Item{}, err
		}
		r.data = nil
	}
	for {
		if len(r.line) == 0 {
			if err := r.nextLine(); err == io.EOF {
				return Item{}, r.atEOF()
			} else if err != nil {
				return Item{}, err
			}
			if len(r.text) == 0 && bytes.HasPrefix(r.line, []byte("-- ")) {
				return r.comment(), nil
			}
		}
		if len(r.text) == 0 {
			if r.line = skipBlank(r.line); len(r.line) == 0 {
				continue
			}
		}
		first := !r.lx.anything
		n, ev := r.lx.scan(r.line, 0)
		if first && r.lx.anything {
			r.begin = r.number
		}
		part := r.line[:n]
		r.line = r.line[n:]
		if len(r.text)+len(part) > r.limit {
			return Item{}, r.errorf("statement begun on line %d is longer than %d bytes", r.begin, r.limit)
		}
		switch ev {
		case lineEnd:
			r.text = append(r.text, part...)
		case reference:
			if part[n-1] == '}' { // psql replaces it even where it knows no such variable
				return Item{}, r.errorf("psql variables are not supported: %s", part[bytes.LastIndexByte(part, ':'):])
			}
			r.text = append(r.text, part...)
		case backslash:
			r.text = append(r.text, part[:n-1]...)
			if len(r.text) == r.newline { // nothing but this command on the line: it leaves the statement as it was
				r.text = r.text[:len(r.text)-1]
			}
			r.newline = -1
			if it, ok, err := r.meta(); ok || err != nil {
				return it, err
			}
		case semicolon:
			if len(r.text) > 0 {
				r.text = append(r.text, part...)
				part = r.text
			}
			return r.statement(part)
		}
	}
}

// comment makes an item of the comment that the line begins with.
func (r *Reader) comment() Item {
	n := commentEnd(r.line, 0)
	it := Item{Kind: Comment, Line: r.number, Text: string(r.line[:n])}
	r.line = r.line[n:]
	return it
}

// nextLine moves to the next line that has anything to say.
func (r *Reader) nextLine() error {
	for {
		line, err := r.src.line(r.limit)
		if err == io.EOF {
			return err
		}
		r.number++
		if err != nil {
			return r.errorf("%w", err)
		}
		if r.number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
			if bytes.HasPrefix(line, []byte("PGDMP")) {
				return r.errorf("the custom format of pg_dump is not SQL: pg_restore reads it")
			}
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return r.errorf("a zero byte in SQL")
		}
		if len(line) == 0 && !r.lx.quoted() {
			continue
		}
		if len(r.text) > 0 {
			r.text = append(r.text, '\n')
			r.newline = len(r.text)
		}
		if len(line) == 0 {
			if len(r.text) > r.limit {
				return r.errorf("statement begun on line %d is longer than %d bytes", r.begin, r.limit)
			}
			continue
		}
		r.line, r.lx.line, r.lx.std = line, r.number, r.std
		return nil
	}
}

// statement makes an item of a whole statement.
func (r *Reader) statement(text []byte) (Item, error) {
	it := Item{Kind: Statement, Line: r.begin, Text: string(text)}
	r.text, r.newline, r.lx.anything = recycle(r.text), -1, false

	m := examine(text)
	switch {
	case m.unsafeEncoding != "":
		return Item{}, r.errorf("client encoding %s is not supported: make the dump in UTF8", m.unsafeEncoding)
	case m.std != unchanged:
		r.std = m.std == on
	case m.copyBinary:
		return Item{}, r.errorf("COPY FROM stdin in binary format is not supported")
	case m.copyIn:
		// The rows begin on the next line; psql takes what follows on this one after them.
		r.line = append([]byte(nil), skipBlank(r.line)...)
		r.data = &CopyData{r: r, begin: r.number, bol: true}
		it.Kind, it.Data = Copy, r.data
	}
	return it, nil
}

// atEOF says whether the script may end here.
func (r *Reader) atEOF() error {
	switch {
	case r.lx.quoted():
		return fmt.Errorf("line %d: unterminated %s: %w", r.lx.opened, r.lx.now, io.ErrUnexpectedEOF)
	case r.lx.anything:
		return fmt.Errorf("line %d: unterminated statement: %w", r.begin, io.ErrUnexpectedEOF)
	}
	return io.EOF
}

func (r *Reader) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{r.number}, args...)...)
}

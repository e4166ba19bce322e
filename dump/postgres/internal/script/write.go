package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// single says whether sql, written on lines of its own, is read back as exactly one statement: its
// semicolon ends it, no quote or parenthesis stays open, and no second statement, comment line or
// meta-command gets loose from it. The rows of a COPY FROM stdin do not belong to sql. A dump's
// writer asks this of every statement, since those hold text that a server's users wrote.
func single(sql string) error {
	r := newReader(source{buf: []byte(sql), end: len(sql), err: io.EOF})
	r.restricted = true // without a key: no meta-command passes
	it, err := r.Next()
	switch {
	case err == io.EOF:
		return errors.New("no statement")
	case err != nil:
		return err
	case it.Kind == Comment:
		return fmt.Errorf("line %d: a comment before the statement", it.Line)
	case it.Kind == Copy:
		if len(r.line) > 0 || len(bytes.TrimPrefix(r.src.window(), []byte("\n"))) > 0 {
			return r.errorf("more than one statement")
		}
		return nil
	}
	if it, err = r.Next(); err == nil {
		return fmt.Errorf("line %d: more than one statement", it.Line)
	} else if err != io.EOF {
		return err
	}
	if len(r.text) > 0 {
		return r.errorf("a comment behind the statement")
	}
	return nil
}

// unreplaced returns sql with a blank behind each colon that psql would take for the beginning of a
// variable, as in the slice a[1:"HOST"]: psql replaces those that are set, and several always are.
// To a server sql means the same as before.
func unreplaced(sql string) string {
	if !strings.Contains(sql, ":") {
		return sql
	}
	var out strings.Builder
	lx := lexer{std: true}
	for line := range bytes.Lines([]byte(sql)) {
		text, ended := bytes.CutSuffix(line, []byte{'\n'})
		for i := 0; i < len(text); {
			j, ev := lx.scan(text, i)
			if ev == reference {
				j = i + bytes.LastIndexByte(text[i:j], ':') + 1
			}
			out.Write(text[i:j])
			if ev == reference {
				out.WriteByte(' ')
			}
			i = j
		}
		if ended {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

package script

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Terminated returns sql with its delimiter and an end of line, so that the clients and a Reader
// take it for exactly one statement, this one, in a session of each of the given modes. Where a
// semicolon will not do, since there are others in it, the statement comes between two DELIMITER
// lines.
//
// A dump's writer has every statement pass here that may have others within itself: programs. What
// would be read otherwise whatever the delimiter is, and could even be a command of the clients, is
// an error.
func Terminated(sql string, modes ...Mode) (string, error) {
	err := Single(sql, modes...)
	if err == nil {
		return sql + ";\n", nil
	}
	if errors.Is(err, errZero) {
		return "", err
	}
	for _, d := range []string{";;", "//", "$$", "%%", "@@", "^^", "||", "!!"} {
		if err2 := single(sql+"\n"+d, sql, d, modes); err2 == nil {
			return "DELIMITER " + d + "\n" + sql + "\n" + d + "\nDELIMITER ;\n", nil
		} else if d == ";;" {
			err = err2
		}
	}
	return "", err
}

var errZero = errors.New("a zero byte")

// Single returns nil if the clients and a Reader take sql and a semicolon for exactly one
// statement, this one, in a session of each of the given modes.
//
// A dump's writer has every statement pass here that holds text which a server sent: what its users
// wrote, or it itself where it is not honest.
func Single(sql string, modes ...Mode) error {
	if strings.IndexByte(sql, 0) >= 0 {
		return errZero
	}
	return single(sql+";", sql, ";", modes)
}

// single says whether the script is read as the statement sql alone, in all modes.
func single(script, sql, delimiter string, modes []Mode) error {
	if len(modes) == 0 {
		modes = []Mode{0}
	}
	for _, m := range modes {
		if err := singleIn(script, sql, delimiter, m); err != nil {
			return err
		}
	}
	return nil
}

func singleIn(script, sql, delimiter string, mode Mode) error {
	r := Reader{buf: []byte(script), end: len(script), err: io.EOF, limit: maxStatement, lx: newLexer(delimiter, mode), line: 1, bol: true}
	it, err := r.Next()
	switch {
	case err == io.EOF:
		return errors.New("no statement")
	case err != nil:
		return err
	case it.Kind == Comment:
		return errors.New("line 1: a comment before the statement")
	case len(it.Text) < len(trimBlanks([]byte(sql))):
		return fmt.Errorf("line %d: more than one statement, or a comment before it", it.Line)
	}
	if it, err = r.Next(); err == nil {
		return fmt.Errorf("line %d: more than one statement", it.Line)
	} else if err != io.EOF {
		return err
	}
	return nil
}

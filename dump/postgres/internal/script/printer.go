package script

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Printer writes the statements of a dump. It is the guard of all that a server says: no text of
// one's gets into a dump but through it. What cannot be written is told and left out, or is the
// Printer's error: then nothing more is written.
type Printer struct {
	NoOwner, NoPrivileges bool // whoever prints is to leave those statements out

	w    io.Writer // keeps its errors to itself, as a dump.Writer does
	warn func(string)
	err  error // of the first statement that would not have been read back as one

	holding bool            // statements are not written yet: one of them may turn out to be none
	held    strings.Builder // these statements
}

// NewPrinter returns a Printer that writes to w, whose errors it does not look at. warn is told
// what is left out.
func NewPrinter(w io.Writer, warn func(string)) *Printer { return &Printer{w: w, warn: warn} }

// Statements returns the text of the statements that print makes, or the error of the first that
// cannot be written.
func Statements(print func(*Printer)) (string, error) {
	p := &Printer{holding: true, warn: func(string) {}}
	print(p)
	return p.held.String(), p.err
}

// Err returns why the Printer does not write any more, or nil.
func (p *Printer) Err() error { return p.err }

// Stmt writes one statement and its semicolon.
//
// What a server says about its objects is not trusted: the text is written only if psql would send
// it as it is and find nothing in it to do by itself (CVE-2025-8714 and 8715 were of that kind).
func (p *Printer) Stmt(format string, args ...any) {
	if p.err != nil {
		return
	}
	sql, err := Guarded(fmt.Sprintf(format, args...) + ";")
	if err != nil {
		p.err = err
		return
	}
	if p.holding {
		p.held.WriteString(sql + "\n")
		return
	}
	io.WriteString(p.w, sql+"\n")
}

// Defined writes a statement that the server has put together. It has to begin as told: a server
// that says something else is not to be believed, and what it says would run as the restoring role.
func (p *Printer) Defined(sql string, beginnings ...string) {
	if p.err == nil && !slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(sql, b) }) {
		p.err = fmt.Errorf("the server's definition does not begin with %s: %s", strings.TrimSpace(beginnings[0]), Head(sql))
		return
	}
	p.Stmt("%s", sql)
}

// Whole writes the statements that print makes, all or, with the error, none. The error is not the
// Printer's.
func (p *Printer) Whole(print func(*Printer)) error {
	if p.err != nil {
		return p.err
	}
	p.holding = true
	print(p)
	err := p.err
	if err == nil {
		io.WriteString(p.w, p.held.String())
	}
	p.holding, p.err = false, nil
	p.held.Reset()
	return err
}

// OrNot writes statements, or tells that they are left out.
func (p *Printer) OrNot(what string, print func(*Printer)) {
	if p.err != nil {
		return
	}
	if err := p.Whole(print); err != nil {
		p.LeftOut(what, err)
	}
}

// LeftOut tells that something is not in the dump: in a warning, and in a comment without the
// reason.
func (p *Printer) LeftOut(what string, why error) {
	p.warn(fmt.Sprintf("%s is left out: %v", what, why))
	// As Go quotes it: a name can hold all that ends a comment.
	fmt.Fprintf(p.w, "-- left out: %+q\n", what)
}

// Warn tells of something that is not in the dump and has no place in a comment.
func (p *Printer) Warn(text string) { p.warn(text) }

// Mark writes a comment line. text is the program's own, never a server's: a name in a comment
// could end it.
func (p *Printer) Mark(text string) {
	io.WriteString(p.w, "\n-- "+text+"\n\n")
}

// Guarded returns sql as psql will not change it, or an error where it would take it for anything
// but one statement.
func Guarded(sql string) (string, error) {
	sql = unreplaced(sql)
	if err := single(sql); err != nil {
		return "", fmt.Errorf("the server's definition is not one statement: %w: %s", err, Head(sql))
	}
	return sql, nil
}

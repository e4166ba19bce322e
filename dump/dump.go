// Package dump holds what the database engines share: the contract between an engine and the
// program around it, the head and the trailer by which a whole SQL dump is known from a truncated
// one, the manifest that says how many rows of each table a dump holds and where in the stream each
// of its parts is, and the items as which a dump is read.
//
// It knows no engine, no restic and no schedule, no statement and no document. The engines live in
// the folders below it, each blind to the others.
package dump

import (
	"context"
	"errors"
	"io"
)

// ErrNoAnswer is what an engine returns of a server that has not let it in, or not answered the
// first question, within the time that it is given for that.
var ErrNoAnswer = errors.New("the server has not answered in time")

// A PassingError is why a dump failed where only the moment was to blame: nothing is wrong with the
// settings, the database or the way to it, and the same dump, made again at once, may well succeed.
// An engine returns one only where its server said as much. The error's text is that of Err.
type PassingError struct{ Err error }

func (e *PassingError) Error() string { return e.Err.Error() }

// Unwrap lets errors.Is and errors.As find what stood in the way.
func (e *PassingError) Unwrap() error { return e.Err }

// A Source writes one whole dump of a database.
//
// Dump returns nil only when everything was read at one moment of the database and written to w,
// its last bytes included; after an error what w received is worthless and the caller must not keep
// it. It does not close w, compress, name files or draw progress. Equal data gives equal bytes.
type Source interface {
	Dump(ctx context.Context, w io.Writer) error
}

// A Loader puts a dump back into a database.
//
// Load reads r to its end and returns nil only when every statement succeeded and the counts of the
// manifest hold. It stops at the first error. A stream without its trailer is refused.
type Loader interface {
	Load(ctx context.Context, r io.Reader) error
}

package dump

import (
	"context"
	"time"
)

// A Scratch makes databases for drills on a server, and drops them again. One is made, loaded, read
// back, asked and dropped; what a killed drill has left the next one drops.
//
// A drill never touches what it has not made: the name of a database of a drill is one that
// ParseScratchName reads, with the prefix that the Scratch was made with, and where the engine has
// a place for another mark, that has to be there as well. A Scratch is used by one goroutine at a
// time.
type Scratch interface {
	// Sweep drops what drills that ended without dropping it have left on the server, under this
	// prefix, and returns the names. What a living drill uses stays, also one of another process or
	// machine.
	Sweep(context.Context) (dropped []string, err error)
	// Create makes a database that holds nothing, as the dump wants it whose first bytes are given
	// (its encoding, say), and returns its name. Of a dump of several they are the first of the
	// part that the database begins with. It is in use until Drop or Close.
	Create(ctx context.Context, head []byte) (name string, err error)
	// Check asks a made database one question, in its own language (a statement in SQL that reads,
	// a command of MongoDB in JSON), and returns the first value of the answer as text: "true" (of
	// MySQL, which has no such value, "1"), "3". It changes nothing that outlives the database,
	// waits no longer than ctx, and what it reads is bounded. The error is a *QuestionError where
	// it is the question's.
	Check(ctx context.Context, name, question string) (answer string, err error)
	// Drop drops a made database, whoever is connected to it.
	Drop(ctx context.Context, name string) error
	// Close ends the Scratch's sessions. It drops nothing.
	Close() error
}

// A QuestionError is why a question of Scratch.Check has no answer where the server was there to
// give one: it is none that reads, the server refuses it, it takes too long, or its answer holds
// nothing, or too much. Any other error of Check is of the way to the server.
type QuestionError struct{ Err error }

func (e *QuestionError) Error() string { return e.Err.Error() }

// Unwrap lets errors.Is and errors.As find what was wrong.
func (e *QuestionError) Unwrap() error { return e.Err }

// MostAnswer is how many bytes an answer of Scratch.Check may have.
const MostAnswer = 64 << 10

// TimeToAnswer is what a server is given to answer a question of Scratch.Check: nine tenths of what
// is left, so that it is the server that ends it, and says so; 0: there is no bound.
func TimeToAnswer(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Millisecond, time.Until(deadline)*9/10)
}

package dump

import "context"

// A Scratch makes databases for drills on a server, and drops them again. One is made, loaded, read
// back, asked and dropped; what a killed drill has left the next one drops.
//
// A drill never touches what it has not made: the name of a database of a drill begins with the
// prefix that the Scratch was made with, and something that only a drill makes tells it from a
// database that somebody has named so.
type Scratch interface {
	// Sweep drops what drills that ended without dropping it have left on the server, under this
	// prefix, and returns the names. What a living drill uses stays, also one of another process or
	// machine.
	Sweep(context.Context) (dropped []string, err error)
	// Create makes a database that holds nothing, as the dump wants it whose first bytes are given
	// (its encoding, say), and returns its name. It is in use until Drop or Close.
	Create(ctx context.Context, head []byte) (name string, err error)
	// Check asks a made database one question, in its own language (a statement in SQL that reads,
	// a command of MongoDB in JSON), and returns the first value of the answer as text: "true", "3".
	// It changes nothing that outlives the database, waits no longer than ctx, and what it reads is
	// bounded.
	Check(ctx context.Context, name, question string) (answer string, err error)
	// Drop drops a made database, whoever is connected to it.
	Drop(ctx context.Context, name string) error
	// Close ends the Scratch's sessions. It drops nothing.
	Close() error
}

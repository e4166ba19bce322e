package dump

import "fmt"

// A Refusal is something of a dump that the target has not taken, in a load that goes on all the
// same.
type Refusal struct {
	Line  int    // of the dump, from 1; 0 in an archive, which has none
	What  string // the object, or the beginning of the statement, for people
	Table string // whose rows are not there, as the manifest has it; empty: it is no table's rows
	Rows  int64  // of Table that are missing
	Err   error  // the server's
}

// An IncompleteError is how a load ends that has gone on behind what was refused: all else is
// there.
type IncompleteError struct {
	Refused, Of int     // statements
	Missing     []Table // whose rows are not there, with the number that are missing
}

func (e *IncompleteError) Error() string {
	text := fmt.Sprintf("%d of %d statements failed", e.Refused, e.Of)
	if len(e.Missing) == 0 {
		return text
	}
	missing := make([]string, len(e.Missing))
	for i, t := range e.Missing {
		missing[i] = fmt.Sprintf("%s (%d)", t.Name, t.Rows)
	}
	return text + "; rows are missing of " + Listed(missing)
}

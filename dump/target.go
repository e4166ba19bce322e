package dump

import (
	"errors"
	"fmt"
	"strings"
)

// A Target is where a dump goes. A Loader tells it when everything that could stand in the way has
// been looked at, and before anything is changed.
type Target struct {
	Server string // host:port, or localhost for a socket

	// Database is the one that a dump of one database goes into. It is empty for a dump that goes
	// into a server, into databases by names of its own.
	Database string
	// Databases are all that the dump writes into, by their names on the server.
	Databases []string

	// Drops is what is dropped first, each with words that say what it is: "database shop",
	// "collection app.users". Empty: nothing is.
	Drops []string
}

// String says where the dump goes: "database app", "the server db:5432, databases app, shop".
func (t Target) String() string {
	switch {
	case t.Database != "":
		return "database " + t.Database
	case len(t.Databases) == 0:
		return "the server " + t.Server
	case len(t.Databases) == 1:
		return "the server " + t.Server + ", database " + t.Databases[0]
	}
	return "the server " + t.Server + ", databases " + Listed(t.Databases)
}

// Listed writes names with commas between them, a reasonable number of many.
func Listed(names []string) string {
	const most = 20
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// ErrNotEmpty is returned for a target that holds something and may not be cleaned. Nothing has
// been changed in it then, unless there is a *PartialError about it.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrElsewhere is returned for a dump whose statements lead into a database that it does not name
// at its head: a dump of one database into any other than the one that it was told to go into.
var ErrElsewhere = errors.New("the dump leads into a database where it does not belong")

// A PartialError is why a load ended that has changed its target.
type PartialError struct {
	Err  error
	Left string // how the target is left: HoldsPart, AllElse, or what is gone
}

// HoldsPart is how a load leaves its target that ended among the dump's statements.
const HoldsPart = "the target now holds a part of the dump"

// AllElse is how a load leaves its target whose error names all that is missing.
const AllElse = "all else of the dump is there"

func (e *PartialError) Error() string { return e.Err.Error() + "; " + e.Left }
func (e *PartialError) Unwrap() error { return e.Err }

// Left is how a load leaves its target if it ends now; empty: as it was. touched says that
// something of the dump is there, or may be; gone is what was dropped to make room, see Dropped.
func Left(touched bool, gone []string) string {
	switch {
	case touched:
		return HoldsPart
	case len(gone) > 0:
		return "dropped are " + Listed(gone) + ", and nothing of the dump is there yet"
	}
	return ""
}

// Dropped adds to what is gone something that was to be dropped, and was with that err. What the
// server has refused to drop is there; of any other error nobody knows.
func Dropped(gone []string, what string, err error, refused bool) []string {
	switch {
	case err == nil:
		return append(gone, what)
	case !refused:
		return append(gone, "perhaps "+what)
	}
	return gone
}

package load

import "errors"

// ErrManyDatabases is returned when a dump of several databases is to go into one named database.
var ErrManyDatabases = errors.New("the dump holds several databases, which go into a server and not into one database")

// ErrOutside is returned when a collection would go into another database than the one that all of
// the dump goes into.
var ErrOutside = errors.New("that is in another database")

// ErrNoReplay is returned when a dump's oplog is to be played through a mongos, which plays none.
var ErrNoReplay = errors.New("the dump has an oplog, which cannot be played through a mongos")

// ErrUndroppable is returned when a collection that is to be dropped cannot be. Nothing has been
// changed then.
var ErrUndroppable = errors.New("the user may not drop a collection that is to be dropped")

// ErrNoRight is returned when the user lacks a right without which the dump cannot be restored.
// Nothing has been changed then.
var ErrNoRight = errors.New("the user lacks rights that the restore needs")

// ErrNothingSelected is returned when what was asked for is not in the dump: a pattern that matches
// nothing. Nothing has been changed then.
var ErrNothingSelected = errors.New("nothing of the dump is selected")

package mongo

import (
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/rows"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// ErrManyDatabases is returned when a dump of several databases is to go into one named database.
var ErrManyDatabases = load.ErrManyDatabases

// ErrOutside is returned when a collection would go into another database than the one that all of
// the dump goes into.
var ErrOutside = load.ErrOutside

// ErrNoReplay is returned when a dump's oplog is to be played through a mongos, which plays none.
var ErrNoReplay = load.ErrNoReplay

// ErrUndroppable is returned when a collection that is to be dropped cannot be. Nothing has been
// changed then.
var ErrUndroppable = load.ErrUndroppable

// ErrNoRight is returned when the user lacks a right without which the dump cannot be restored.
// Nothing has been changed then.
var ErrNoRight = load.ErrNoRight

// ErrNothingSelected is returned when what was asked for is not in the dump: a pattern that matches
// nothing. Nothing has been changed then.
var ErrNothingSelected = load.ErrNothingSelected

// ErrTooOld is returned when a dump took longer than the server can look back.
var ErrTooOld = rows.ErrTooOld

// A RightError is an error by a right that the user does not have, with the statement that grants
// it.
type RightError = server.RightError

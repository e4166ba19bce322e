// Package load is how a dump comes back: what of it runs where and in which order, the sessions
// that load rows and build indexes, the room that is made in the target before, what a server may
// refuse, and the comparison with the manifest.
//
// A dump comes to it as items (see dump.Item), read by package items; what a single statement is,
// packages script and ddl say. What a server is and may do is asked of package server.
package load

import (
	"errors"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Config says where a dump goes. None of the functions is nil but Refused.
type Config struct {
	Server      server.Config
	Driver      *mysql.Config // the same, as the driver has it
	Database    string        // that a dump of one goes into; "": the dump makes its own
	Clean       bool
	LockTimeout time.Duration
	NoBinlog    bool
	NoAnalyze   bool
	Drill       bool          // nothing of what is loaded may act: events are disabled, and programs that may name the original are left out
	Jobs        int           // sessions that load rows and build indexes; 1: there are none but the one
	Part        *choice.Rules // what of the dump is loaded; nil: all
	// Found is what Verify has found of the dump, if that was read before.
	Found Found
	// Refused is told of what the server refuses, and the load goes on; nil: it ends.
	Refused  func(dump.Refusal)
	Into     func(dump.Target)
	Compared func(dump.Comparison)
	Warn     func(string)
}

// Found is what is known of a dump that was read to its end. The zero value is of one that was not.
type Found struct {
	Databases []string        // that mysqldump's dump makes: its head does not tell
	Chosen    []choice.Object // what a load of a part makes; nil: it was not read
	Longest   int             // the length of the longest statement that cannot be split, in bytes
}

var (
	// ErrSeveral is returned when a dump that makes its databases itself is to go into one named
	// database.
	ErrSeveral = errors.New("the dump makes its databases by their own names, and goes into a server and not into one database")
	// ErrNoName is returned when a dump of one database is to go into a server.
	ErrNoName = errors.New("the dump is of one database and does not name it; name the one that it goes into")
	// ErrOtherFamily is returned for a dump of MariaDB that is to go into MySQL, or the reverse.
	ErrOtherFamily = errors.New("MySQL and MariaDB do not take each other's dumps")
)

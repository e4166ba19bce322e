package postgres

import (
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/part"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Errors of a server and of the way to it.
type (
	// A RightError is the server's refusal of what the role has no right to, with what gives it to
	// it.
	RightError = server.RightError
	// A SettingError is what is wrong with one of libpq's settings.
	SettingError = server.SettingError
	// SettingErrors are all that are wrong, in the order of their names.
	SettingErrors = server.SettingErrors
)

var (
	// ErrWholeCluster is returned when a dump of a whole cluster is to go into one named database.
	ErrWholeCluster = load.ErrWholeCluster
	// ErrNotInOne is returned when a dump that makes databases is to go in one transaction.
	ErrNotInOne = load.ErrNotInOne
	// ErrDataOnly is returned when a dump without definitions is to go into a database that is to
	// be emptied first.
	ErrDataOnly = load.ErrDataOnly
	// ErrNoName is returned when a dump of one database is to go where the configuration is of
	// several.
	ErrNoName = load.ErrNoName
	// ErrUndroppable is returned when a database that is to be dropped cannot be. Nothing has been
	// changed then.
	ErrUndroppable = load.ErrUndroppable
	// ErrNothingFits is returned for a pattern of LoadConfig.Part that fits nothing in the dump.
	ErrNothingFits = part.ErrNothingFits
	// ErrNoDatabase is returned where LoadConfig.Part does not say which of a dump's databases it
	// is of, or says one that is not there.
	ErrNoDatabase = part.ErrNoDatabase
	// ErrSchemas is returned where what is to go into LoadConfig.ToSchema comes from several.
	ErrSchemas = part.ErrSchemas
	// ErrCleartext is returned where a server asks for the password in clear over a connection that
	// could be encrypted and is not.
	ErrCleartext = server.ErrCleartext
	// ErrEnded is returned where a session has ended while it was needed, whoever has ended it.
	ErrEnded = server.ErrEnded
	// ErrRecoveryConflict is returned, within a dump.PassingError, of a dump that a standby has
	// ended because it kept the primary's changes from being applied.
	ErrRecoveryConflict = server.ErrRecoveryConflict
)

// IsNoRole tells whether an error is that a role is not there.
func IsNoRole(err error) bool { return server.IsNoRole(err) }

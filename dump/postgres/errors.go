package postgres

import (
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Errors of a server and of the way to it.
type (
	// A RightError is the server's refusal of what the role has no right to, with what
	// gives it to it.
	RightError = server.RightError
	// A SettingError is what is wrong with one of libpq's settings.
	SettingError = server.SettingError
	// SettingErrors are all that are wrong, in the order of their names.
	SettingErrors = server.SettingErrors
)

var (
	// ErrCleartext is returned where a server asks for the password in clear over a connection that could be encrypted and is not.
	ErrCleartext = server.ErrCleartext
	// ErrRecoveryConflict is returned of a dump that a standby has ended because it kept the primary's changes from being
	// applied. Nothing is wrong with the dump; the next may pass.
	ErrRecoveryConflict = server.ErrRecoveryConflict
)

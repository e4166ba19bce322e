package server

import (
	"errors"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Codes of errors that are told apart, of which servers have more.
const (
	CodeUnauthorized        = 13
	CodeNamespaceNotFound   = 26
	codeNamespaceExists     = 48
	CodeMixedSchema         = 408 // CannotInsertTimeseriesBucketsWithMixedSchema
	CodeDuplicateKey        = 11000
	CodeUnknownField        = 40415
	CodeIllegalOperation    = 20 // as of a database for which sharding is not enabled, before 6.0
	CodeSnapshotTooOld      = 239
	CodeSnapshotUnavailable = 246
	CodeInvalidView         = 182
)

// HasCode tells whether an error is a server's of that code.
func HasCode(err error, code int) bool {
	var s mongo.ServerError
	return errors.As(err, &s) && s.HasErrorCode(code)
}

// IsInterrupted tells of an error by which somebody, or a bound on its time, has ended a command
// that may have done a part of what it was asked for.
func IsInterrupted(err error) bool {
	const maxTimeExpired, interrupted = 50, 11601
	return HasCode(err, maxTimeExpired) || HasCode(err, interrupted)
}

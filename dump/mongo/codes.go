package mongo

import (
	"errors"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Codes of errors that are told apart, of which servers have more.
const (
	codeUnauthorized        = 13
	codeNamespaceNotFound   = 26
	codeNamespaceExists     = 48
	codeMixedSchema         = 408 // CannotInsertTimeseriesBucketsWithMixedSchema
	codeDuplicateKey        = 11000
	codeUnknownField        = 40415
	codeIllegalOperation    = 20 // as of a database for which sharding is not enabled, before 6.0
	codeSnapshotTooOld      = 239
	codeSnapshotUnavailable = 246
	codeInvalidView         = 182
)

// hasCode tells whether an error is a server's of that code.
func hasCode(err error, code int) bool {
	var s mongo.ServerError
	return errors.As(err, &s) && s.HasErrorCode(code)
}

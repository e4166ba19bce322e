package server

import "fmt"

// A RightError is an error by a right that the user does not have, with the statement that grants
// it.
type RightError struct {
	Grant string // for mongosh, as somebody who may grant
	err   error
}

func (e *RightError) Error() string {
	return fmt.Sprintf("%v; grant it in mongosh: %s", e.err, e.Grant)
}

func (e *RightError) Unwrap() error { return e.err }

// WithGrant makes of an error that says that the user lacks a right one that says how he gets it.
// Without a user there is nobody to grant it to.
func (s Config) WithGrant(err error, role, db string) error {
	if !HasCode(err, CodeUnauthorized) {
		return err
	}
	opts, optErr := s.options()
	if optErr != nil || opts.Auth == nil || opts.Auth.Username == "" {
		return err
	}
	from := opts.Auth.AuthSource
	if from == "" {
		from = "admin"
	}
	return &RightError{
		Grant: fmt.Sprintf("db.getSiblingDB(%+q).grantRolesToUser(%+q, [{ role: %+q, db: %+q }])", from, opts.Auth.Username, role, db),
		err:   err,
	}
}

package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// A refusal is a definition of the dump that the server does not make, of data
// that is all there: a unique index of documents that are not, a view by what the
// server does not know. None of them is to cost the next one.
type refusal struct {
	kind refusalKind
	err  error
}

type refusalKind struct{ one, many string }

var (
	indexRefused = refusalKind{"1 index", "%d indexes"}
	viewRefused  = refusalKind{"1 view", "%d views"}
	usersRefused = refusalKind{"users and roles", ""} // which are taken together
)

// isRefusal tells an error by which the server refuses what it was asked for from
// one after which there is no asking.
func isRefusal(ctx context.Context, err error) bool {
	_, isServers := errors.AsType[mongo.ServerError](err)
	return isServers && ctx.Err() == nil && !isElection(err)
}

// orRefused keeps an error that is a refusal, and returns any other.
func (s *loading) orRefused(ctx context.Context, kind refusalKind, err error) error {
	if !isRefusal(ctx, err) {
		return err
	}
	s.refused = append(s.refused, refusal{kind, err})
	return nil
}

// refusals returns all of them as one error, and nil without any.
func (s *loading) refusals() error {
	var kinds []string
	var errs []error
	for _, kind := range []refusalKind{indexRefused, viewRefused, usersRefused} {
		n := 0
		for _, r := range s.refused {
			if r.kind == kind {
				errs = append(errs, r.err)
				n++
			}
		}
		switch {
		case n == 1:
			kinds = append(kinds, kind.one)
		case n > 1:
			kinds = append(kinds, fmt.Sprintf(kind.many, n))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("the server refuses %s, and all else is there: %w", strings.Join(kinds, " and "), errors.Join(errs...))
}

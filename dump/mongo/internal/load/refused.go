package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A refusal is a definition of the dump that the server does not make: a unique index of documents
// that are not, a view by what the server does not know, a collection with such an option, whose
// documents are passed over. None of them is to cost the next one.
type refusal struct {
	kind refusalKind
	err  error
}

type refusalKind struct{ one, many string }

var (
	collectionRefused = refusalKind{"1 collection", "%d collections"}
	indexRefused      = refusalKind{"1 index", "%d indexes"}
	viewRefused       = refusalKind{"1 view", "%d views"}
	usersRefused      = refusalKind{"users and roles", ""} // which are taken together
	entryRefused      = refusalKind{}                      // an entry of the oplog, of which somebody is told
)

// isRefusal tells an error by which the server refuses what it was asked for from one after which
// there is no asking.
func isRefusal(ctx context.Context, err error) bool {
	_, isServers := errors.AsType[mongo.ServerError](err)
	return (isServers || errors.Is(err, errOtherForm)) && ctx.Err() == nil && !server.IsElection(err)
}

// orRefused takes note of an error that is a refusal, of what it says, and returns any other.
func (s *loading) orRefused(ctx context.Context, kind refusalKind, what string, err error) error {
	if !isRefusal(ctx, err) {
		return err
	}
	s.note(kind, what, err)
	return nil
}

// goesOn tells whether the load goes on behind what else is no reason to: documents that the server
// refuses, and entries of the oplog. Somebody is then told of each refusal as it comes.
func (s *loading) goesOn() bool { return s.cfg.Refused != nil }

// note keeps a refusal, or tells of it. Several sessions may.
func (s *loading) note(kind refusalKind, what string, err error) {
	s.noting.Lock()
	defer s.noting.Unlock()
	s.failed++
	if !s.goesOn() {
		s.refused = append(s.refused, refusal{kind, err})
		return
	}
	if said, ok := errors.AsType[mongo.ServerError](err); ok {
		err = said // which what is not in again
	}
	s.cfg.Refused(dump.Refusal{What: what, Err: err})
}

// An incompleteError names all of the dump that is not there, or where somebody was told of that
// says how much it is.
type incompleteError struct {
	error
	counts *dump.IncompleteError
}

func (e *incompleteError) Unwrap() []error { return []error{e.error, e.counts} }

// incomplete returns all that was refused and left out as an *incompleteError, and nil where all of
// the dump is there.
func (s *loading) incomplete() error {
	if s.failed == 0 {
		return nil
	}
	counts := &dump.IncompleteError{Refused: s.failed, Of: int(s.asked.Load()), Missing: s.missed}
	if s.goesOn() {
		return counts
	}
	return &incompleteError{s.listed(), counts}
}

// listed names all that was refused and left out.
func (s *loading) listed() error {
	slices.SortStableFunc(s.refused, func(a, b refusal) int { return strings.Compare(a.err.Error(), b.err.Error()) }) // sessions note them as they come
	var kinds []string
	var errs []error
	for _, kind := range []refusalKind{collectionRefused, indexRefused, viewRefused, usersRefused} {
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
	err := errors.Join(errs...)
	if err != nil {
		err = fmt.Errorf("the server refuses %s: %w", strings.Join(kinds, " and "), err)
	}
	for _, l := range s.leftOut {
		err = errors.Join(err, l)
	}
	return err
}

package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
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
)

// isRefusal tells an error by which the server refuses what it was asked for from one after which
// there is no asking.
func isRefusal(ctx context.Context, err error) bool {
	_, isServers := errors.AsType[mongo.ServerError](err)
	return (isServers || errors.Is(err, errOtherForm)) && ctx.Err() == nil && !server.IsElection(err)
}

// orRefused keeps an error that is a refusal, and returns any other.
func (s *loading) orRefused(ctx context.Context, kind refusalKind, err error) error {
	if !isRefusal(ctx, err) {
		return err
	}
	s.note(kind, err)
	return nil
}

// note keeps a refusal. Several sessions may.
func (s *loading) note(kind refusalKind, err error) {
	s.noting.Lock()
	defer s.noting.Unlock()
	s.refused = append(s.refused, refusal{kind, err})
}

// leftOut are documents that are not there, for one reason.
type leftOut struct {
	why   string
	n     int64
	first []string // of them, for people
}

// Reasons for which documents are left out.
const (
	firstThere  = "the dump has several documents of one _id, of which the first is there"
	otherThere  = "the dump has several documents of one _id, of which one is there" // on several sessions any
	notCompared = "documents whose _id is there already are left out, and are not compared with what is there, as this user lacks the right find"
	byIndex     = "documents are left out by the unique index " // and its key
)

// leaveOut takes note of a document that is not there. Several sessions may.
func (s *loading) leaveOut(t *target, doc bson.Raw, why string) {
	const most = 10
	t.add(&t.others, 1)
	s.noting.Lock()
	defer s.noting.Unlock()
	i := slices.IndexFunc(s.leftOut, func(l *leftOut) bool { return l.why == why })
	if i < 0 {
		i = len(s.leftOut)
		s.leftOut = append(s.leftOut, &leftOut{why: why})
	}
	l := s.leftOut[i]
	if l.n++; l.n <= most {
		l.first = append(l.first, fmt.Sprintf("%s of %s", shown.Short(doc.Lookup("_id").String()), shown.Name(t.namespace())))
	}
}

// An incompleteError names all of the dump that is not there.
type incompleteError struct{ error }

func (e *incompleteError) Unwrap() error { return e.error }

// incomplete returns all that was refused and left out as an *incompleteError, and nil where all of
// the dump is there.
func (s *loading) incomplete() error {
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
		text := strings.Join(l.first, ", ")
		if more := l.n - int64(len(l.first)); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		err = errors.Join(err, fmt.Errorf("%s: %s", l.why, text))
	}
	if err == nil {
		return nil
	}
	return &incompleteError{err}
}

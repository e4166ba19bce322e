package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// leftOut are documents that are not there, for one reason.
type leftOut struct {
	reason
	of    *target // whose they are, where somebody is told of it; nil: of several
	n     int64
	first []string // of them, for people
}

// Error says which documents they are, and why.
func (l *leftOut) Error() string {
	text := strings.Join(l.first, ", ")
	if more := l.n - int64(len(l.first)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s: %s", l.why, text)
}

// A reason is why documents are left out. Of those that a server refuses by one code the reason is
// what it says of the first: it may say of each what the document holds.
type reason struct {
	why  string
	code int
}

func (r reason) is(other reason) bool {
	return r.code == other.code && (r.code != 0 || r.why == other.why)
}

// Reasons for which documents are left out.
var (
	firstThere  = reason{why: "the dump has several documents of one _id, of which the first is there"}
	otherThere  = reason{why: "the dump has several documents of one _id, of which one is there"} // on several sessions any
	notCompared = reason{why: "documents whose _id is there already are left out, and are not compared with what is there, as this user lacks the right find"}
)

// byIndex is that of documents in whose place a unique index has others.
func byIndex(key bson.RawValue) reason {
	return reason{why: "documents are left out by the unique index " + key.String()}
}

// refusedBy is that of documents that the server refuses.
func refusedBy(err error) reason {
	r := reason{why: "the server refuses documents: " + err.Error()}
	if said, ok := errors.AsType[mongo.ServerError](err); ok && len(said.ErrorCodes()) > 0 {
		r.code = said.ErrorCodes()[0]
	}
	return r
}

// leaveOut takes note of a document that is not there. Several sessions may.
func (s *loading) leaveOut(t *target, doc bson.Raw, why reason) {
	const most = 10
	t.add(&t.others, 1)
	var of *target
	if s.goesOn() {
		of = t
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	i := slices.IndexFunc(s.leftOut, func(l *leftOut) bool { return l.of == of && l.is(why) })
	if i < 0 {
		i = len(s.leftOut)
		s.leftOut = append(s.leftOut, &leftOut{reason: why, of: of})
	}
	l := s.leftOut[i]
	if l.n++; l.n <= most {
		l.first = append(l.first, fmt.Sprintf("%s of %s", shown.Short(doc.Lookup("_id").String()), shown.Name(t.namespace())))
	}
}

// miss takes note that documents are missing of a collection whose end has come, and tells of those
// that were left out where the load goes on. table is the collection as the dump's end of it has
// it.
func (s *loading) miss(t *target, table string, n int64) {
	if n == 0 {
		return
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	s.failed++
	s.missed = append(s.missed, dump.Table{Name: table, Rows: n})
	s.tellLeftOut(func(l *leftOut) bool { return l.of == t }, table)
}

// tellLeftOut tells of some that were left out, of a collection or of that which the load has ended
// in, where the load goes on behind them.
func (s *loading) tellLeftOut(which func(*leftOut) bool, table string) {
	if !s.goesOn() {
		return
	}
	s.leftOut = slices.DeleteFunc(s.leftOut, func(l *leftOut) bool {
		told := which(l)
		if told {
			s.cfg.Refused(dump.Refusal{What: "documents of " + shown.Name(l.of.namespace()), Table: table, Rows: l.n, Err: l})
		}
		return told
	})
}

// missAll takes note that all documents are missing of a collection that the server does not make.
func (s *loading) missAll(end dump.Table) {
	if end.Rows > 0 {
		s.missed = append(s.missed, dump.Table{Name: end.Name, Rows: end.Rows})
	}
}

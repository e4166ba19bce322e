package scratch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Check asks a made database a question: see dump.Scratch. It is a command that reads, as Extended
// JSON: {"count": "orders"}, {"aggregate": "orders", "pipeline": […]}. Of commands that answer with
// documents the answer is the first one's first value but _id; of count it is n, of distinct the
// first value, of all others ok.
func (s *Scratch) Check(ctx context.Context, name, question string) (string, error) {
	const expired = 50 // MaxTimeMSExpired
	if err := s.hasMade(name); err != nil {
		return "", err
	}
	c, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	left := dump.TimeToAnswer(ctx)
	if !c.Info.Mongod { // others do not all know of a bound, and end with the connection
		left = 0
	}
	command, err := parse(question, left)
	if err != nil {
		return "", &dump.QuestionError{Err: err}
	}
	value, err := ask(ctx, c, name, command)
	_, refused := errors.AsType[mongo.ServerError](err)
	switch {
	case err == nil:
		return answer(value)
	case errors.Is(ctx.Err(), context.DeadlineExceeded), server.HasCode(err, expired):
		return "", &dump.QuestionError{Err: errors.New("it is not answered in time")}
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, errNothing), refused && !mongo.IsNetworkError(err) && !server.IsNotReady(err):
		return "", &dump.QuestionError{Err: err}
	}
	return "", err
}

var errNothing = errors.New("the answer has no value")

// ask runs a command. It returns errNothing where it finds nothing.
func ask(ctx context.Context, c *server.Conn, db string, command bson.D) (bson.RawValue, error) {
	var value bson.RawValue
	found := false
	if slices.Contains(cursors, command[0].Key) {
		cur, err := c.Cursor(ctx, db, command)
		if err != nil {
			return value, err
		}
		defer cur.End(ctx)
		if cur.Next(ctx) {
			value, found = first(slices.Clone(cur.Current))
		} else if err := cur.Err(); err != nil {
			return value, err
		}
	} else {
		var answer bson.Raw
		if err := c.Run(ctx, db, command, &answer); err != nil {
			return value, err
		}
		value, found = ofAnswer(answer)
	}
	if !found {
		return value, errNothing
	}
	return value, nil
}

// answer is a value as text, if it is not too long.
func answer(value bson.RawValue) (string, error) {
	all, err := text(value)
	if err == nil && len(all) > dump.MostAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", dump.MostAnswer)
	}
	if err != nil {
		return "", &dump.QuestionError{Err: err}
	}
	return all, nil
}

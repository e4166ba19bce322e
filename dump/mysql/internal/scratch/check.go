package scratch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// mostRead is how many bytes of the answer to a question are read: its rows are not all wanted, and
// the protocol has no way to say so.
const mostRead = 1 << 20

// Check asks a made database a question: see dump.Scratch. It is one query, in a transaction that
// reads only and is undone. MySQL's word for true is 1.
func (s *Scratch) Check(ctx context.Context, name, question string) (string, error) {
	if err := s.hasMade(name); err != nil {
		return "", err
	}
	if err := isQuery(question); err != nil {
		return "", &dump.QuestionError{Err: err}
	}
	cc := s.cfg.Driver.Clone()
	cc.MaxAllowedPacket, cc.MultiStatements = mostRead, false
	c, err := server.Open(ctx, cc, server.ForLoad, patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	var id int64
	if err := c.Row(ctx, "SELECT CONNECTION_ID()", &id); err != nil {
		return "", err
	}
	bound := dump.TimeToAnswer(ctx)
	limit := fmt.Sprintf("SET max_execution_time = %d", bound.Milliseconds())
	if c.IsMariaDB() {
		limit = fmt.Sprintf("SET max_statement_time = %.3f", bound.Seconds())
	}
	for _, sql := range []string{"USE " + quote.Name(name), "SET sql_select_limit = 1", limit, "START TRANSACTION READ ONLY"} {
		if err := c.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	answer, err := ask(ctx, c, question, bound)
	if err != nil && ctx.Err() != nil {
		s.end(ctx, id)
	}
	return answer, err
}

// ask asks the question in a session that is set up for it.
func ask(ctx context.Context, c *server.Conn, question string, bound time.Duration) (string, error) {
	const ended, endedToo = 3024, 1969 // by max_execution_time, and max_statement_time
	began := time.Now()
	value, found, err := c.First(ctx, question)
	late := bound > 0 && time.Since(began) >= bound // SLEEP, say, is cut short without a word
	switch {
	case late, errors.Is(ctx.Err(), context.DeadlineExceeded), server.IsError(err, ended, endedToo):
		return "", &dump.QuestionError{Err: errors.Join(errors.New("it is not answered in time"), err)}
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case c.Exceeded() || err == nil && len(value.String) > dump.MostAnswer:
		return "", &dump.QuestionError{Err: fmt.Errorf("the answer has more than %d bytes", dump.MostAnswer)}
	case err != nil && server.ErrorNumber(err) != 0 && !server.MayComeUp(err):
		return "", &dump.QuestionError{Err: err}
	case err != nil:
		return "", err
	case !found:
		return "", &dump.QuestionError{Err: errors.New("the answer has no row")}
	case !value.Valid:
		return "NULL", nil
	}
	if err := c.Exec(ctx, "ROLLBACK"); err != nil {
		return "", err
	}
	return value.String, nil
}

// end ends a session whose question nobody waits for any more: the server would look for its client
// only when it has the answer.
func (s *Scratch) end(ctx context.Context, id int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	c, err := server.Connect(ctx, s.cfg.Driver)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.Exec(ctx, fmt.Sprintf("KILL CONNECTION %d", id))
}

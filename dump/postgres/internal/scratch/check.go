package scratch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Check asks a made database a question: see dump.Scratch. It is one query, which the server takes
// as that of a cursor and nothing else, in a transaction that reads only and is undone. Names are
// found as in a session of anybody's: what runs there may be what the database's owners wrote.
func (s *Scratch) Check(ctx context.Context, name, question string) (string, error) {
	if err := s.hasMade(name); err != nil {
		return "", err
	}
	answer, err := s.check(ctx, name, question)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded), server.HasCode(err, "57014"): // query_canceled, by its timeout
		return "", &dump.QuestionError{Err: fmt.Errorf("it is not answered in time: %w", err)}
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &refused) && !strings.HasPrefix(refused.Code, "57P") && refused.SeverityUnlocalized == "ERROR":
		return "", &dump.QuestionError{Err: err}
	}
	return "", err
}

func (s *Scratch) check(ctx context.Context, name, question string) (string, error) {
	conn, _, err := server.Connect(ctx, s.cfg.Conn, name, server.ForLoading(patience))
	if err != nil {
		return "", err
	}
	defer server.HangUp(conn)
	begin := fmt.Sprintf(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL client_encoding = 'UTF8'; SET LOCAL row_security = off;
		SET LOCAL statement_timeout = %d; SET LOCAL search_path = "$user", public`, dump.TimeToAnswer(ctx).Milliseconds())
	if err := server.Exec(ctx, conn.PgConn(), begin); err != nil {
		return "", err
	}
	// The question stands alone in a line of its own: it may end in a comment.
	question = strings.TrimRight(question, "; \t\r\n")
	sql := fmt.Sprintf("DECLARE asked NO SCROLL CURSOR FOR SELECT pg_catalog.substr(a.v::pg_catalog.text, 1, %d) FROM (\n%s\n) AS a(v)", dump.MostAnswer+1, question)
	if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
		return "", server.Ended(conn.PgConn(), err)
	}
	var answer *string
	err = conn.QueryRow(ctx, "FETCH 1 FROM asked").Scan(&answer)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", &dump.QuestionError{Err: errors.New("the answer has no row")}
	case err != nil:
		return "", server.Ended(conn.PgConn(), err)
	case answer == nil:
		return "NULL", nil
	case len(*answer) > dump.MostAnswer:
		return "", &dump.QuestionError{Err: fmt.Errorf("the answer has more than %d bytes", dump.MostAnswer)}
	}
	return *answer, nil
}

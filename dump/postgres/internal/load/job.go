package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A job is one statement of a dump, and what has to be known to run it.
type job struct {
	item dump.Item
	plan plan
	set  settings   // in which it runs
	rows dump.Tally // that the server took of a COPY

	bytes int64     // of these rows, as the dump has them
	over  int64     // bytes of the rows that it goes over, of one that builds or analyses
	only  bool      // of one that builds: nothing that takes as long is to be done meanwhile
	left  time.Time // when it was left to whoever is free
	told  string    // as what it is told of while it is under way; empty: it is not

	rowsOf  *dealing // that they come from
	spreads bool     // they may go to several sessions
	helpers []*job   // that send some of them, each in a session of its own
	helps   bool     // it is one of these

	refused error  // in the server's words; the load goes on behind it
	read    int64  // rows of the COPY, of one that goes on
	instead string // of a setting that was refused: what was set

	parts []*job // of one that is several statements; their settings are the same
}

// runJob runs a job. Its error names the line and the statement, unless it is that of the context.
func (s *session) runJob(ctx context.Context, j *job) error {
	if len(j.parts) > 0 {
		return s.runTogether(ctx, j)
	}
	set := j.set
	if j.plan.kind == refreshes {
		set = set.with(assignment{"row_security", server.AsOwner + ";"})
	}
	adopted := s.adopt(ctx, set)
	err := adopted
	if err == nil && j.plan.kind == builds {
		adopted = s.parallel(ctx, j.only)
		err = adopted
	}
	if err == nil {
		err = s.send(ctx, j)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		err = inWords(err)
		if adopted == nil && s.endures(ctx, j, err) {
			j.refused = err
			return nil
		}
		if s.single {
			err = lockRoom(err)
		}
		return j.failed(err)
	}
	if j.plan.kind == sets {
		s.set = s.set.with(assignment{j.plan.setting, j.item.Text})
	}
	return nil
}

// send sends what a job says.
func (s *session) send(ctx context.Context, j *job) (err error) {
	if j.item.Kind == dump.Rows {
		if err = s.fill(ctx, j); s.goesOn && server.IsRefusal(err) {
			s.reading.Wait() // until the rows are passed over: the next item is read by others
		}
		return server.Ended(s.conn.PgConn(), err)
	}
	if err = server.Exec(ctx, s.conn.PgConn(), j.item.Text); alreadyThere(j.item.Text, err) {
		return nil
	}
	return err
}

// runTogether runs several statements at once, in one transaction, or in a part of the one that the
// session is in. Where one fails nothing is done: then they run one after another, up to that one,
// or to the last where the load goes on.
func (s *session) runTogether(ctx context.Context, j *job) error {
	var b strings.Builder
	begun := s.conn.PgConn().TxStatus() == 'T'
	if begun {
		b.WriteString("SAVEPOINT together;\n")
	}
	for _, part := range j.parts {
		b.WriteString(part.item.Text + "\n")
	}
	if begun {
		b.WriteString("RELEASE SAVEPOINT together;\n")
	}
	if err := s.adopt(ctx, j.set); err == nil {
		err = server.Exec(ctx, s.conn.PgConn(), b.String())
		if err == nil {
			return nil
		}
		if begun && !s.conn.IsClosed() {
			_ = server.Exec(ctx, s.conn.PgConn(), "ROLLBACK TO SAVEPOINT together") // of which the next statement would tell
		}
		if s.conn.IsClosed() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("lines %d to %d: %w", j.parts[0].item.Line, j.parts[len(j.parts)-1].item.Line, err)
		}
	}
	for _, part := range j.parts {
		if err := s.runJob(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// alreadyThere tells whether a statement failed for a tablespace that exists. As with a role it is
// taken as it is: its folder may have another path on this server, and is to be made beforehand.
func alreadyThere(statement string, err error) bool {
	var pe *pgconn.PgError
	return strings.HasPrefix(statement, "CREATE TABLESPACE ") && errors.As(err, &pe) && pe.Code == "42710" // duplicate_object
}

// failed says which statement has failed.
func (j *job) failed(err error) error {
	err = fmt.Errorf("%s: %w", script.Head(j.item.Text), err)
	if j.plan.kind == analyses { // which no line says
		return err
	}
	return fmt.Errorf("line %d: %w", j.item.Line, err)
}

// inWords adds to an error all that the server says of it, and where within its rows.
func inWords(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		// The server quotes the row it was at; a row has no place in a log.
		where, _, _ := strings.Cut(pe.Where, `: "`)
		for _, more := range []string{pe.Detail, where, pe.Hint} {
			if more != "" {
				err = fmt.Errorf("%w; %s", err, more)
			}
		}
	}
	return err
}

package rows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
)

// readAhead reads requests as long as there are any. Each is asked for while the one before it is
// read, so that the server never waits for us; one that has to be watched is asked for when its
// turn comes.
func (k *copier) readAhead(ctx context.Context, q *pieceQueue, guard *trust.Guard) error {
	defer context.AfterFunc(ctx, k.conn.stop)()
	err := k.readAll(ctx, q, guard)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func (k *copier) readAll(ctx context.Context, q *pieceQueue, guard *trust.Guard) error {
	asked, unsent := k.askNext(q)
	for asked != nil {
		var planned func() error
		entered := false
		if p := asked[0]; p.watched && unsent == nil {
			safe, err := guard.Enter(ctx, p.moment())
			switch {
			case err != nil:
				return err
			case safe:
				entered = true
				planned = func() error { entered = false; return guard.Leave(ctx, true) }
			case p.table.Condition != "":
				return fmt.Errorf("rows of %s: %w", p.table.Name, errConditionDistrusted)
			case p.first: // as the table lies, by this reader alone
				p.clauses, p.watched = "", false
			default:
				q.finish(p, dump.Tally{}, false)
				asked, unsent = k.askNext(q)
				continue
			}
			unsent = k.ask(asked)
		}
		following, next := []*pieceStream(nil), error(nil)
		if unsent == nil {
			following, next = k.askNext(q)
		}
		// A server that has ended the session said why before it hung up: its words go before our
		// failure to ask.
		err := k.receive(ctx, q, asked, planned)
		if entered {
			err = cmp.Or(err, guard.Leave(ctx, false))
		}
		// A lock that a COPY does not get while it runs, of a TOAST table say, is another matter:
		// rows of it have left.
		if server.IsLocked(err) && !k.begun && unsent == nil && next == nil {
			for _, s := range asked {
				q.finish(s, dump.Tally{}, true)
			}
			err = k.beginAgain(ctx, following)
		}
		if err = cmp.Or(err, unsent); err != nil {
			table := asked[max(slices.IndexFunc(asked, func(s *pieceStream) bool { return !s.done }), 0)].table // the one that was being read
			return fmt.Errorf("copy the rows of %s: %w", table.Name, copyError(err, table))
		}
		asked, unsent = following, next
	}
	return nil
}

// askNext takes the next request and asks for it, unless it has to be watched.
func (k *copier) askNext(q *pieceQueue) ([]*pieceStream, error) {
	request := q.take()
	if request == nil || request[0].watched {
		return request, nil
	}
	return request, k.ask(request)
}

// ask sends the statements for a request.
//
// Somebody may wait to change a table: he waits for main's lock, and our request would wait behind
// his. Main has its lock already. And ours are given back at once: a server has room for few locks,
// with PostgreSQL's own settings some 12,000 of all sessions.
func (k *copier) ask(request []*pieceStream) error {
	names := make([]string, len(request))
	var copies strings.Builder
	for i, s := range request {
		names[i] = "ONLY " + s.table.Name
		copies.WriteString("COPY " + s.query() + " TO STDOUT; ")
	}
	return k.send("SAVEPOINT piece; LOCK TABLE " + strings.Join(names, ", ") + " IN ACCESS SHARE MODE NOWAIT; " + copies.String() + "ROLLBACK TO piece; RELEASE piece")
}

// beginAgain ends a transaction that failed and starts another on the same snapshot. What was asked
// for in the meantime failed with it and is asked for once more.
func (k *copier) beginAgain(ctx context.Context, following []*pieceStream) error {
	sent := following != nil && !following[0].watched
	if sent {
		if err := k.receive(ctx, nil, nil, nil); !server.IsAborted(err) {
			return fmt.Errorf("the server went on in a failed transaction: %w", err)
		}
	}
	if err := k.exec(ctx, "ROLLBACK; "+k.snapshot); err != nil || !sent {
		return err
	}
	return k.ask(following)
}

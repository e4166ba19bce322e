package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// errNotTaken is returned where the server says that a COPY is done while there are rows of it.
var errNotTaken = errors.New("the server ended the COPY before it had all rows")

// copyIn sends such rows of a job's COPY as are dealt to the session and returns those that the
// server took, and their bytes: it says how many, and what it was given says which. The job that
// others help with also has the rows read.
func (s *session) copyIn(ctx context.Context, j *job) (took dump.Tally, bytes int64, err error) {
	if !j.helps {
		s.reading.Go(j.rowsOf.deal)
	}
	rows := newRowsReader(j.rowsOf)
	tag, err := s.conn.PgConn().CopyFrom(ctx, rows, j.item.Text)
	if broken := rows.broken.Load(); broken != nil { // the server only hears that there are no more rows, and says so
		err = *broken
	}
	given := rows.whole.Load()
	if err == nil && given == nil {
		err = errNotTaken
	}
	if err != nil {
		if !j.helps { // whom the failure of any other ends too
			close(j.rowsOf.ended)
			s.spares = nil // some are still with those rows
		}
		return dump.Tally{}, rows.bytes.Load(), rows.placed(j.item.Text, err)
	}
	return dump.Tally{Rows: tag.RowsAffected(), Hash: given.Hash}, rows.bytes.Load(), nil
}

// A rowsReader hands the rows that are dealt to a session to the goroutine of its driver. The
// driver looks for what the server says, and for the end of its context, only between two reads; so
// while no rows come a read returns nothing, again and again, instead of waiting for them. A dump
// that stalls within a COPY keeps nobody from hearing that the server has ended the session.
type rowsReader struct {
	from *dealing

	// Of the driver's goroutine, which may outlive a COPY that failed.
	piece []byte      // what is left of the block that was taken
	taken []byte      // the same with what has gone
	rest  chan []byte // of the long row that it begins; nil: it begins none
	tally lineTally

	mu     sync.Mutex
	places []place // of the latest blocks

	bytes  atomic.Int64               // that the driver was given
	broken atomic.Pointer[error]      // what it was told of rows
	whole  atomic.Pointer[dump.Tally] // of all rows, once it was told that there are no more
}

// A place is where rows that a session sends stand in the dump.
type place struct {
	sent  int64 // rows of the session's before them
	lines int64 // of the COPY before them
}

// mostPlaces is how many blocks a server may be behind with an error and still have its row named.
// It is behind by what sockets hold.
const mostPlaces = 1000

// nothingYet is how long a read waits for rows.
const nothingYet = 100 * time.Millisecond

func newRowsReader(from *dealing) *rowsReader { return &rowsReader{from: from} }

// Read implements io.Reader, but that it may return nothing without an error; see above.
func (k *rowsReader) Read(p []byte) (int, error) {
	if len(k.piece) == 0 {
		if err := k.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, k.piece)
	k.piece = k.piece[n:]
	k.bytes.Add(int64(n))
	return n, nil
}

// next takes the next block, or the next part of a long row, if one comes soon.
func (k *rowsReader) next() error {
	if k.taken != nil {
		k.from.spares.free <- k.taken[:cap(k.taken)] // it has room for all
		k.taken = nil
	}
	timer := time.NewTimer(nothingYet)
	defer timer.Stop()
	blocks := k.from.blocks
	if k.rest != nil {
		blocks = nil
	}
	select {
	case text, more := <-k.rest:
		if !more {
			k.rest = nil
			return nil
		}
		k.take(text)
	case b, more := <-blocks:
		if !more {
			return k.last()
		}
		k.begin(b)
		k.take(b.text)
	case <-k.from.ended:
		return io.ErrClosedPipe
	case <-timer.C:
	}
	return nil
}

func (k *rowsReader) take(text []byte) {
	k.piece, k.taken = text, text
	k.tally.Write(text)
}

// begin notes where a block stands.
func (k *rowsReader) begin(b block) {
	k.rest = b.rest
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.places) == 2*mostPlaces {
		k.places = append(k.places[:0], k.places[mostPlaces:]...)
	}
	k.places = append(k.places, place{k.tally.Rows, b.lines})
}

// last is how the rows have ended.
func (k *rowsReader) last() error {
	if err := k.from.broken.Load(); err != nil {
		k.broken.Store(err)
		return *err
	}
	k.whole.Store(&k.tally.Tally)
	return io.EOF
}

// placed makes a server's word of where in a COPY it has failed that of the place in the dump: it
// counts the rows that this session has sent.
func (k *rowsReader) placed(statement string, err error) error {
	var pe *pgconn.PgError
	table := copied(statement)
	if !errors.As(err, &pe) || table == nil {
		return err
	}
	name := strings.ReplaceAll(table[1][1:len(table[1])-1], `""`, `"`)
	where := regexp.MustCompile(`(?m)^(COPY ` + regexp.QuoteMeta(name) + `\D+)(\d+)`)
	at := where.FindStringSubmatchIndex(pe.Where)
	if at == nil {
		return err
	}
	row, parsed := strconv.ParseInt(pe.Where[at[4]:at[5]], 10, 64)
	if parsed != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.places) - 1; i >= 0; i-- {
		if p := k.places[i]; p.sent < row {
			pe.Where = fmt.Sprintf("%s%d%s", pe.Where[:at[4]], row-p.sent+p.lines, pe.Where[at[5]:])
			break
		}
	}
	return err
}

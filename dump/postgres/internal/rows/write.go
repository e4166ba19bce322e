package rows

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
)

// Write writes the tables' rows in the order given: read ahead on several connections that share
// the dump's snapshot, written one piece after another. The bytes do not depend on how many
// connections there are. behind is called after the rows of each table.
func (d *data) Write(ctx context.Context, out *dump.Writer, tables []*catalog.Relation, behind func(*catalog.Relation) error) (dump.Manifest, error) {
	pieces, err := d.pieces(ctx, tables)
	if err != nil {
		return nil, err
	}
	q := newPieceQueue(pieces)
	w := &rowWriter{main: d.conn.PgConn(), out: out, queue: q, database: d.cfg.Database, guard: d.guard, told: d.cfg.Table}
	copiers, err := d.openCopiers(ctx, d.readers(q))
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, k := range copiers {
			k.close()
		}
	}()

	g, ctx := errgroup.WithContext(ctx)
	watch, end := context.WithCancel(ctx)
	defer end()
	for _, k := range copiers {
		k.lend(max(readAheadBytes/bufferSize/len(copiers), 4))
		g.Go(func() error { return k.readAhead(ctx, q, d.guard) })
	}
	var manifest dump.Manifest
	g.Go(func() error {
		defer end() // the guard's watch is over when the rows are written
		w.alone = len(copiers) == 0
		var err error
		manifest, err = w.write(ctx, tables, behind)
		return err
	})
	g.Go(func() error { return d.guard.Watch(watch) })
	return manifest, g.Wait()
}

// readers is how many connections besides the dump's own read the rows: none where it takes less
// time to read them than to connect.
func (d *data) readers(q *pieceQueue) int {
	var bytes int64
	for _, p := range q.pieces {
		bytes += p.bytes
	}
	if len(q.pieces) <= fewPieces && bytes <= fewBytes {
		return 0
	}
	return min(d.cfg.Jobs, len(q.requests))
}

const (
	fewPieces = 100
	fewBytes  = 1 << 20
)

// readAheadBytes is how much the connections may have read, all together, before the writer gets to
// it: several pieces for each of the usual number of them.
const readAheadBytes = 48 << 20

// A rowWriter writes the tables' COPY blocks.
type rowWriter struct {
	main  *pgconn.PgConn // reads what no reader could
	out   *dump.Writer
	queue *pieceQueue

	database string // see Config
	guard    *trust.Guard
	told     func(dump.Table)
	alone    bool // there are no readers
	at       int  // the piece that comes next
}

func (w *rowWriter) write(ctx context.Context, tables []*catalog.Relation, behind func(*catalog.Relation) error) (dump.Manifest, error) {
	var manifest dump.Manifest
	for _, r := range tables {
		columns := ""
		if list := r.Copied(); len(list) > 0 {
			columns = " (" + strings.Join(list, ", ") + ")"
		}
		name := r.Name
		if w.database != "" {
			name = w.database + "." + name
		}
		w.out.Begin(dump.Rows, name)
		header, err := script.Guarded("COPY " + r.Into().Name + columns + " FROM stdin;")
		if err != nil {
			return nil, err
		}
		// Whether rows that go into the whole of a partition lie in its order there is up to that.
		if w.queue.pieces[w.at].sorted && r.Into() == r {
			header = "-- " + script.ByKeyMark + "\n" + header
		}
		if _, err := w.out.WriteString(header + "\n"); err != nil {
			return nil, err
		}
		var all dump.Tally
		for ; w.at < len(w.queue.pieces) && w.queue.pieces[w.at].table == r; w.at++ {
			t, err := w.piece(ctx)
			if err != nil {
				return nil, err
			}
			all.Plus(t)
		}
		if _, err := io.WriteString(w.out, "\\.\n\n"); err != nil {
			return nil, err
		}
		w.out.Begin(dump.AfterRows, name)
		if err := behind(r); err != nil {
			return nil, err
		}
		manifest = append(manifest, all.Of(name))
		w.told(all.Of(name))
	}
	return manifest, nil
}

// piece writes the next piece.
func (w *rowWriter) piece(ctx context.Context) (dump.Tally, error) {
	p := w.queue.pieces[w.at]
	for !w.alone {
		b, s, err := w.queue.get(ctx, w.at)
		if err != nil {
			return dump.Tally{}, err
		}
		if s == nil {
			if _, err := w.out.Write(b.rows); err != nil {
				return dump.Tally{}, err
			}
			if b.home != nil {
				b.home <- b.whole
			}
			continue
		}
		if !s.left {
			return s.tally, nil
		}
		p = s.piece // which may have become one that is not watched
		break
	}
	t, err := w.byMain(ctx, p)
	if err != nil {
		return dump.Tally{}, fmt.Errorf("copy the rows of %s: %w", p.table.Name, copyError(err, p.table))
	}
	return t, nil
}

// byMain has main read a piece.
func (w *rowWriter) byMain(ctx context.Context, p piece) (dump.Tally, error) {
	rows := mainRows{w: w.out}
	if p.watched {
		safe, err := w.guard.Enter(ctx, p.moment())
		switch {
		case err != nil:
			return dump.Tally{}, err
		case safe:
			rows.planned = func() error { return w.guard.Leave(ctx, true) }
		case p.table.Condition != "":
			return dump.Tally{}, errConditionDistrusted
		case p.first:
			p.clauses = ""
		default: // the first has brought all
			return dump.Tally{}, nil
		}
	}
	if len(p.key) > 0 {
		rows.sorter = &sorter{key: p.key}
	}
	tag, err := w.main.CopyTo(ctx, &rows, "COPY "+p.query()+" TO STDOUT")
	if n := tag.RowsAffected(); err == nil && n != rows.Rows {
		err = fmt.Errorf("the server says that it has sent %d rows; %d came", n, rows.Rows)
	}
	return rows.Tally, cmp.Or(err, rows.end(err == nil))
}

// mainRows passes COPY's text on, a row a Write, counting and hashing.
type mainRows struct {
	w       io.Writer
	planned func() error // called once, when the query has been planned; nil: nobody wants to know
	sorter  *sorter      // nil: the rows are not sorted
	dump.Tally
}

func (m *mainRows) Write(row []byte) (int, error) {
	if planned := m.planned; planned != nil {
		m.planned = nil
		if err := planned(); err != nil {
			return 0, err
		}
	}
	if err := addRow(&m.Tally, row); err != nil {
		return 0, err
	}
	if m.sorter != nil {
		if m.sorter.add(row) {
			return len(row), nil
		}
		if err := m.flush(false); err != nil {
			return 0, err
		}
	}
	return m.w.Write(row)
}

// end writes what was kept back. Of a COPY that failed it writes nothing.
func (m *mainRows) end(whole bool) error {
	var err error
	if planned := m.planned; planned != nil {
		err = planned()
	}
	if err == nil && whole && m.sorter != nil {
		err = m.flush(true)
	}
	return err
}

func (m *mainRows) flush(inOrder bool) error {
	s := m.sorter
	m.sorter = nil
	return s.each(inOrder, func(row []byte) error {
		_, err := m.w.Write(row)
		return err
	})
}

// copyError adds to the server's words what an operator can do.
func copyError(err error, r *catalog.Relation) error {
	switch {
	case server.IsForbidden(err) && r.Security:
		return &server.RightError{Lacks: "the role does not see all rows (row level security); ALTER ROLE … BYPASSRLS lets it", Err: err}
	case server.IsForbidden(err):
		return &server.RightError{Lacks: fmt.Sprintf("the role may not read it; GRANT SELECT ON %s TO it", r.Name), Err: err}
	}
	return server.LockRoom(err)
}

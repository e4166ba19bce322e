// Package rows is how tables' rows leave: a moment that several connections share, pieces of tables
// that these read ahead into bounded buffers, and the one writer that puts them into the dump in
// their order, as INSERT statements that end where the rows' hashes say.
//
// What a table is it is told by package catalog, and how a value is written by package value.
package rows

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A Writer writes tables' rows in the order of the dump: read ahead on several connections that
// share a snapshot, written one piece after another. The bytes do not depend on how many
// connections there are.
type Writer struct {
	// Told is told each table whose rows have all been written, by the goroutine that writes.
	Told func(dump.Table)

	catalog *catalog.Reader
	mu      sync.Mutex // of catalog, for as long as the readers run
	readers []*server.Conn

	opening sync.Mutex // of next, until the table of the piece that it was is open
	next    int        // the first piece that nobody reads

	streams  []*pieceStream // those that are not written yet
	held     []byte         // room for the beginning of a table's rows
	manifest dump.Manifest
	packet   int            // the longest statement that every server takes, and more where a row is longer; in bytes
	longest  *catalog.Table // that has that row
}

// Why this ends: the writer waits for the first piece that is not written. All before it are, so
// its reader has been given back every buffer but those of this piece, which the writer takes:
// whoever reads it never waits for long for room, which each reader has for itself. If nobody reads
// it yet, all readers are done with those before, and one takes it next. Nobody waits for anybody's
// room with a lock held; what is done under mu waits for the server alone.
//
// Readers also wait for each other in the server: a table that one has open keeps out whoever
// alters it, and he keeps out, with all that he has locked by then, the readers that come after
// him. So they open the pieces' tables in the order of the pieces. Else one could have its table
// open and wait for the writer, who waits for a piece before, whose reader waits for him who waits
// for the first. As it is, whoever has a table open when another waits in the server reads a piece
// before that one's, and the writer comes to him first.

func NewWriter(ctx context.Context, c *catalog.Reader, readers []*server.Conn, databases []*catalog.Database) (*Writer, error) {
	w := &Writer{catalog: c, readers: readers}
	for _, db := range databases {
		for _, t := range db.Tables {
			if t.Rowless {
				continue
			}
			pieces, err := cutPieces(ctx, c, t)
			if err != nil {
				return nil, fmt.Errorf("cut %s by its key: %w", t.Label, changed(err))
			}
			for _, p := range pieces {
				w.streams = append(w.streams, &pieceStream{piece: p, data: make(chan *rowBuffer, readAheadBuffers)})
			}
		}
	}
	return w, nil
}

// Run reads the rows while write writes, which calls table for each table in its order.
func (w *Writer) Run(ctx context.Context, write func(context.Context) error) (dump.Manifest, error) {
	g, ctx := errgroup.WithContext(ctx)
	streams := w.streams
	for _, r := range w.readers[:min(len(w.readers), len(streams))] {
		g.Go(func() error { return w.readAhead(ctx, r, streams) })
	}
	g.Go(func() error { return write(ctx) })
	err := g.Wait()
	return w.manifest, err
}

// Table writes a table and its rows.
func (w *Writer) Table(ctx context.Context, p *guard.Printer, t *catalog.Table) error {
	p.BeginOf(dump.Definitions, t.DB.Name)
	if t.Rowless {
		t.Zoned = nil
		catalog.CreateTable(p, t)
		return p.Err()
	}
	name := t.Name
	if p.Qualified {
		name = t.Qualified()
	}
	beginning := w.holdBack(p, t, name)
	t.Enter(p, w.catalog.Conn.Info)
	var sum dump.Tally
	// MariaDB builds a table's indexes all at once, at the end of the transaction that fills it
	// from empty.
	into := inserter{p: p, header: insertHead(t), commits: !w.catalog.Conn.IsMariaDB()}
	for len(w.streams) > 0 && w.streams[0].table == t {
		s := w.streams[0]
		if err := s.write(ctx, &into); err != nil {
			return err
		}
		sum.Plus(s.Tally)
		w.streams = w.streams[1:]
	}
	into.close()
	into.commit()
	beginning.end()
	if len(t.Zoned) > 0 { // keys, which are of the definition and no matter of the rows
		p.Begin(dump.AfterRows, name)
	}
	t.Leave(p, w.catalog.Conn.Info)
	w.needs(t, len(into.header)+into.longest)
	if len(t.Later) > 0 && !t.Joined {
		p.Begin(dump.AfterRows, name)
		p.Stmt("%s", ddl.AddElements(t.Name, t.Later))
	}
	w.manifest = append(w.manifest, sum.Of(name))
	if p.Err() == nil {
		w.Told(sum.Of(name))
	}
	return p.Err()
}

// write writes a piece's rows as they come.
func (s *pieceStream) write(ctx context.Context, into *inserter) error {
	for {
		select {
		case b, more := <-s.data:
			if !more {
				return nil
			}
			into.add(b)
			b.release()
			if err := into.p.Err(); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A RowOrder says in which order a table's rows leave.
//
// In the order of the primary key a row that is updated keeps its place in the
// stream, and the next backup adds little; in physical order, which is cheaper
// to read, an updated row moves to wherever the server found room.
type RowOrder string

// The orders of rows.
const (
	OrderAuto     RowOrder = "auto"     // by key where that costs little: see inKeyOrder
	OrderKey      RowOrder = "key"      // by key in every table that has one
	OrderPhysical RowOrder = "physical" // as the rows lie
)

// A piece is a part of a table's rows, read by one COPY. The pieces of a table,
// one after another, are its rows in the chosen order, wherever the cuts are.
type piece struct {
	table   *relation
	clauses string // of the SELECT that reads it; empty: the whole table, as it lies
}

// query is what to COPY: a table's columns, or a SELECT in parentheses.
func (p piece) query() string { return p.table.selection(p.clauses) }

// What a piece should hold, by the size of the table. Smaller pieces keep
// several connections busy at bounded memory, larger ones spare round trips.
const pieceBytes = 4 << 20

// smallTable is the size in bytes up to which a table is sorted by its key
// whatever its physical order: the sort costs little and the rest stays the same.
const smallTable = 64 << 20

// ordered is the correlation of key and place above which reading by key is
// nearly reading in sequence. Tables that are filled in key order stay well above
// it under updates, tables with random keys stay near 0: the choice is stable.
const ordered = 0.5

// stored is what has to be known of a table to cut it into pieces.
type stored struct {
	Relation    uint32
	Bytes       int64    // of its heap
	Key         []string // of the primary key, quoted; nil: none
	KeyType     *string  // of the key's first column
	Cuttable    bool     // the type is the server's own: its order and its < agree
	Correlation *float32 // of the key's first column with the rows' places, from the statistics
}

// inKeyOrder tells whether a table's rows leave in the order of its key.
func (t stored) inKeyOrder(order RowOrder) bool {
	switch {
	case len(t.Key) == 0 || order == OrderPhysical:
		return false
	case order == OrderKey || t.Bytes <= smallTable:
		return true
	}
	return t.Correlation != nil && *t.Correlation >= ordered
}

// pieces cuts the tables into pieces, in the order given.
func (c *catalog) pieces(ctx context.Context, tables []*relation, order RowOrder, debug func(string)) ([]piece, error) {
	about, err := c.readStored(ctx, tables)
	if err != nil {
		return nil, fmt.Errorf("read sizes and keys of tables: %w", err)
	}
	var list []piece
	for _, r := range tables {
		t := about[r.oid]
		var clauses []string
		switch {
		case r.rows != "" || len(r.copied()) == 0:
			clauses = []string{r.rows}
		case t.inKeyOrder(order):
			debug(fmt.Sprintf("rows of %s: in the order of the key %s", r.name, strings.Join(t.Key, ", ")))
			if clauses, err = c.cutByKey(ctx, r, t); err != nil {
				return nil, fmt.Errorf("cut %s by its key: %w", r.name, err)
			}
		default:
			debug(fmt.Sprintf("rows of %s: in physical order", r.name))
			clauses = c.cutByPlace(t)
		}
		for _, w := range clauses {
			list = append(list, piece{r, w})
		}
	}
	return list, nil
}

// selection writes a COPY's source: the rows of r for which the clauses hold.
func (r *relation) selection(clauses string) string {
	columns := strings.Join(r.copied(), ", ")
	if clauses == "" {
		if columns == "" {
			return r.name
		}
		return r.name + " (" + columns + ")"
	}
	return "(SELECT " + columns + " FROM ONLY " + r.name + " " + clauses + ")"
}

func (c *catalog) readStored(ctx context.Context, tables []*relation) (map[uint32]stored, error) {
	oids := make([]uint32, len(tables))
	for i, r := range tables {
		oids[i] = r.oid
	}
	rows, err := query[stored](ctx, c, `
		SELECT c.oid AS relation, pg_relation_size(c.oid) AS bytes,
		       (SELECT array_agg(quote_ident(a.attname) ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
		        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts) AS key,
		       format_type(t.oid, NULL) AS key_type,
		       coalesce(t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b', false) AS cuttable,
		       s.correlation
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		LEFT JOIN pg_type t ON t.oid = a.atttypid
		LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
		WHERE c.oid = ANY ($1)`, oids)
	about := make(map[uint32]stored, len(rows))
	for _, t := range rows {
		about[t.Relation] = t
	}
	return about, err
}

// cutByPlace cuts a table at block numbers. Before 14 the server could not scan
// a range of blocks.
func (c *catalog) cutByPlace(t stored) []string {
	n := t.Bytes / pieceBytes
	if n < 2 || c.srv.version < 140000 {
		return []string{""}
	}
	const blocks = pieceBytes / 8192
	var clauses []string
	for i := range n {
		where := fmt.Sprintf("WHERE ctid >= '(%d,0)'", i*blocks)
		if i < n-1 { // the last one has no end: nothing is left out
			where += fmt.Sprintf(" AND ctid < '(%d,0)'", (i+1)*blocks)
		}
		clauses = append(clauses, where)
	}
	return clauses
}

// cutByKey cuts a table at keys that a sample says lie evenly. Which ones they
// are changes nothing in the stream.
func (c *catalog) cutByKey(ctx context.Context, r *relation, t stored) ([]string, error) {
	sorted := "ORDER BY " + strings.Join(t.Key, ", ")
	n := int(t.Bytes / pieceBytes)
	if n < 2 || !t.Cuttable {
		return []string{sorted}, nil
	}
	first := t.Key[0]
	var cuts []string
	if err := c.conn.QueryRow(ctx, sampleQuery(r, first, t, n), fractions(n)).Scan(&cuts); err != nil && err != pgx.ErrNoRows {
		return nil, err
	}
	cuts = slices.Compact(cuts)
	var clauses []string
	for i := range len(cuts) + 1 {
		var conditions []string
		if i > 0 {
			conditions = append(conditions, first+" >= "+literal(cuts[i-1])+"::"+*t.KeyType)
		}
		if i < len(cuts) {
			conditions = append(conditions, first+" < "+literal(cuts[i])+"::"+*t.KeyType)
		}
		where := ""
		if len(conditions) > 0 {
			where = "WHERE " + strings.Join(conditions, " AND ") + " "
		}
		clauses = append(clauses, where+sorted)
	}
	return clauses, nil
}

// sampleQuery asks for keys at given fractions of a sample of some blocks for each piece.
func sampleQuery(r *relation, column string, t stored, n int) string {
	const perPiece = 4
	percent := min(100, 100*float64(perPiece*n)*8192/float64(t.Bytes))
	return fmt.Sprintf("SELECT percentile_disc($1::float8[]) WITHIN GROUP (ORDER BY %s)::text[] FROM ONLY %s TABLESAMPLE SYSTEM (%g) REPEATABLE (1)",
		column, r.name, percent)
}

// fractions returns the n-1 places that cut a whole into n equal parts.
func fractions(n int) []float64 {
	list := make([]float64, n-1)
	for i := range list {
		list[i] = float64(i+1) / float64(n)
	}
	return list
}

package rows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/trust"
)

// A Order says in which order a table's rows leave.
//
// In the order of the primary key a row that is updated keeps its place in the stream, and the next
// backup adds little; in physical order, which is cheaper to read, an updated row moves to wherever
// the server found room.
type Order string

// The orders of rows.
const (
	Auto     Order = "auto"     // by key where that costs little: see inKeyOrder
	ByKey    Order = "key"      // by key in every table that has one
	Physical Order = "physical" // as the rows lie
)

// A piece is a part of a table's rows, read by one COPY. The pieces of a table, one after another,
// are its rows in the chosen order, wherever the cuts are.
type piece struct {
	table   *catalog.Relation
	clauses string  // of the SELECT that reads it; empty: the whole table by plain COPY, as it lies
	key     sortKey // that a whole table's rows are sorted by when they have come; nil: they are not
	bytes   int64   // that it takes on the server's disk, about
	watched bool    // planned under the guard's watch
	first   bool    // of its table
	of      int     // watched pieces that the table has
	number  int     // of its table among those with watched pieces, from 0
	sorted  bool    // its table is read in the order of its key
}

// query is what to COPY: a table's columns, or a SELECT in parentheses.
func (p piece) query() string { return source(p.table, p.clauses) }

// moment is what the piece wants of the guard.
func (p piece) moment() trust.Moment {
	return trust.Moment{Table: asTable(p.table), Of: p.of, Number: p.number}
}

func asTable(r *catalog.Relation) trust.Table { return trust.Table{Name: r.Name, OID: r.Address.OID} }

// What a piece should hold, by the size of the table. Smaller pieces keep several connections busy
// at bounded memory, larger ones spare round trips.
const pieceBytes = 4 << 20

// smallTable is the size in bytes up to which a table is sorted by its key whatever its physical
// order: the sort costs little and the rest stays the same.
const smallTable = 64 << 20

// sortedHere is the size in bytes, as stored, of a table up to which its rows are read as they lie
// and sorted by this program: no statement has to be planned for it, so nothing keeps it from its
// order, whoever owns it and whatever the role's rights.
const sortedHere = 4 << 20

// watchedSort is the size in bytes up to which a table that is watched is sorted as a whole.
const watchedSort = 32 << 20

// ordered is the correlation of key and place above which reading by key is nearly reading in
// sequence. Tables that are filled in key order stay well above it under updates, tables with
// random keys stay near 0: the choice is stable.
const ordered = 0.5

// stored is what has to be known of a table to cut it into pieces.
type stored struct {
	primaryKey
	bytes       int64    // of its heap
	toast       int64    // bytes of its long values
	correlation *float32 // of the key's first column with the rows' places, from the statistics; only of large tables
	trust       trust.Level
}

// A primaryKey is a table's, of which Key is nil where it has none.
type primaryKey struct {
	Relation uint32
	Key      []string // its columns, quoted
	Types    []uint32 // theirs
	First    string   // the first one's type, as SQL writes it
	Cuttable bool     // that type is the server's own: its order and its < agree
}

// inKeyOrder tells whether a table's rows leave in the order of its key.
func (t stored) inKeyOrder(order Order) bool {
	switch {
	case len(t.Key) == 0 || order == Physical:
		return false
	case order == ByKey || t.bytes <= smallTable:
		return true
	}
	return t.correlation != nil && *t.correlation >= ordered
}

// pieces cuts the tables into pieces, in the order given. Of the tables that must not be planned it
// tells debug, and how many there are.
func (d *data) pieces(ctx context.Context, tables []*catalog.Relation) ([]piece, error) {
	about, err := d.readStored(ctx, tables)
	if err != nil {
		return nil, fmt.Errorf("read sizes and keys of tables: %w", err)
	}
	var list []piece
	asTheyLie, watchedTables := 0, 0
	for _, r := range tables {
		t := about[r.Address.OID]
		key, err := d.cut(ctx, r, t)
		if err != nil {
			return nil, err
		}
		if t.trust == trust.Distrusted && t.wantsPlan(d.cfg.Order) {
			asTheyLie++
		}
		if key[0].watched {
			for i := range key {
				key[i].number = watchedTables
			}
			watchedTables++
		}
		list = append(list, key...)
	}
	if asTheyLie > 0 {
		d.cfg.Debug(fmt.Sprintf("%d tables of more than %d MiB are read as they lie, on one connection each, because planning a query of theirs might run code of their owners", asTheyLie, sortedHere>>20))
	}
	return list, nil
}

// wantsPlan tells whether the table would be read by SELECTs if that were safe.
func (t stored) wantsPlan(order Order) bool {
	return t.bytes+t.toast > sortedHere && (t.inKeyOrder(order) || t.bytes >= 2*pieceBytes)
}

// cut cuts one table.
func (d *data) cut(ctx context.Context, r *catalog.Relation, t stored) ([]piece, error) {
	whole := piece{table: r, bytes: t.bytes + t.toast, first: true}
	switch {
	case r.Condition != "" && t.bytes > 0:
		// An extension says which of the rows are its user's. There is no other way to have them.
		if t.trust == trust.Distrusted {
			return nil, fmt.Errorf("rows of %s: %w", r.Name, errConditionDistrusted)
		}
		whole.clauses, whole.watched, whole.of = r.Condition, t.trust == trust.Watched, 1
		return []piece{whole}, nil
	case len(r.Copied()) == 0 || t.bytes == 0:
		return []piece{whole}, nil
	case t.inKeyOrder(d.cfg.Order) && t.bytes+t.toast <= sortedHere:
		d.cfg.Debug(fmt.Sprintf("rows of %s: sorted here by the key %s", r.Name, strings.Join(t.Key, ", ")))
		whole.key, whole.sorted = keyOf(r, t), true
		return []piece{whole}, nil
	case t.trust == trust.Distrusted:
		if t.wantsPlan(d.cfg.Order) {
			d.cfg.Debug(fmt.Sprintf("rows of %s: as they lie, because planning a query might run code of the owner", r.Name))
		}
		return []piece{whole}, nil
	}
	var clauses []string
	// What cannot be cut is sorted as a whole, and the guard would hold its locks for that long.
	tooLong := t.trust == trust.Watched && !t.Cuttable && t.bytes > watchedSort
	byKey := t.inKeyOrder(d.cfg.Order) && !tooLong
	if byKey {
		d.cfg.Debug(fmt.Sprintf("rows of %s: in the order of the key %s", r.Name, strings.Join(t.Key, ", ")))
		var err error
		if clauses, err = d.cutByKey(ctx, r, t); err != nil {
			return nil, fmt.Errorf("cut %s by its key: %w", r.Name, err)
		}
	} else {
		d.cfg.Debug(fmt.Sprintf("rows of %s: in physical order", r.Name))
		clauses = d.cutByPlace(t)
	}
	var list []piece
	for i, w := range clauses {
		list = append(list, piece{table: r, clauses: w, bytes: whole.bytes / int64(len(clauses)), watched: w != "" && t.trust == trust.Watched, first: i == 0, of: len(clauses), sorted: byKey})
	}
	return list, nil
}

// errConditionDistrusted is about an extension's table, only some of whose rows are dumped, in
// which somebody has put code in the planner's way, or could.
var errConditionDistrusted = errors.New("only those that the extension's condition chooses are dumped, and planning that query might run code of the table's owner; " +
	"give the table to a superuser, or dump as a role that may lock it")

// source writes a COPY's source: the rows of r for which the clauses hold.
func source(r *catalog.Relation, clauses string) string {
	columns := strings.Join(r.Copied(), ", ")
	if clauses == "" {
		if columns == "" {
			return r.Name
		}
		return r.Name + " (" + columns + ")"
	}
	return "(SELECT " + columns + " FROM ONLY " + r.Name + " " + clauses + ")"
}

func (d *data) readStored(ctx context.Context, tables []*catalog.Relation) (map[uint32]stored, error) {
	oids := make([]uint32, len(tables))
	for i, r := range tables {
		oids[i] = r.Address.OID
	}
	type size struct {
		Relation     uint32
		Bytes, Toast int64
	}
	sizes, err := server.Query[size](ctx, d.conn, `
		SELECT c.oid AS relation, c.bytes, CASE WHEN c.bytes > 0 AND c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END AS toast
		FROM (SELECT oid, reltoastrelid, pg_relation_size(oid) AS bytes FROM pg_class WHERE oid = ANY ($1) OFFSET 0) c`, oids)
	if err != nil {
		return nil, err
	}
	about := make(map[uint32]stored, len(sizes))
	var filled []uint32 // an empty table's key is nobody's concern
	for _, t := range sizes {
		about[t.Relation] = stored{bytes: t.Bytes, toast: t.Toast}
		if t.Bytes > 0 {
			filled = append(filled, t.Relation)
		}
	}
	if err := d.readKeys(ctx, about, filled); err != nil {
		return nil, err
	}
	var planned, large []uint32
	for _, r := range tables {
		t := about[r.Address.OID]
		if t.wantsPlan(ByKey) || r.Condition != "" {
			planned = append(planned, r.Address.OID)
		}
		if t.bytes > smallTable {
			large = append(large, r.Address.OID)
		}
	}
	return about, errors.Join(d.readTrust(ctx, about, planned), d.readCorrelation(ctx, about, large))
}

// readKeys reads the primary keys of tables.
func (d *data) readKeys(ctx context.Context, about map[uint32]stored, oids []uint32) error {
	if len(oids) == 0 {
		return nil
	}
	rows, err := server.Query[primaryKey](ctx, d.conn, `
		SELECT k.relation, k.key, k.types, format_type(t.oid, -1) AS first, t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AS cuttable
		FROM (SELECT i.indrelid AS relation, min(i.indkey[0]) AS leading, array_agg(quote_ident(a.attname) ORDER BY k.n) AS key, array_agg(a.atttypid ORDER BY k.n) AS types
		      FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n), pg_attribute a
		      WHERE i.indrelid = ANY ($1) AND i.indisprimary AND i.indisvalid AND k.n <= i.indnkeyatts AND a.attrelid = i.indrelid AND a.attnum = k.attnum
		      GROUP BY i.indrelid) k
		JOIN pg_attribute a ON a.attrelid = k.relation AND a.attnum = k.leading
		JOIN pg_type t ON t.oid = a.atttypid`, oids)
	for _, k := range rows {
		t := about[k.Relation]
		t.primaryKey = k
		about[k.Relation] = t
	}
	return err
}

func (d *data) readTrust(ctx context.Context, about map[uint32]stored, oids []uint32) error {
	if len(oids) == 0 {
		return nil
	}
	judged, err := trust.Judge(ctx, d.conn, d.srv, d.cfg.TrustOwners, oids, true)
	for oid, level := range judged {
		t := about[oid]
		t.trust = level
		about[oid] = t
	}
	return err
}

func (d *data) readCorrelation(ctx context.Context, about map[uint32]stored, oids []uint32) error {
	if len(oids) == 0 {
		return nil
	}
	type row struct {
		Relation    uint32
		Correlation *float32
	}
	rows, err := server.Query[row](ctx, d.conn, `
		SELECT c.oid AS relation, s.correlation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
		WHERE c.oid = ANY ($1)`, oids)
	for _, r := range rows {
		t := about[r.Relation]
		t.correlation = r.Correlation
		about[r.Relation] = t
	}
	return err
}

// cutByPlace cuts a table at block numbers. Before 14 the server could not scan a range of blocks.
func (d *data) cutByPlace(t stored) []string {
	n := t.bytes / pieceBytes
	if n < 2 || d.srv.Version < 140000 {
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

// cutByKey cuts a table at keys that a sample says lie evenly. Which ones they are changes nothing
// in the stream.
func (d *data) cutByKey(ctx context.Context, r *catalog.Relation, t stored) ([]string, error) {
	sorted := "ORDER BY " + strings.Join(t.Key, ", ")
	n := int(t.bytes / pieceBytes)
	if n < 2 || !t.Cuttable {
		return []string{sorted}, nil
	}
	first := t.Key[0]
	var cuts []string
	sample := func(conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, sampleQuery(r, first, t, n), fractions(n)).Scan(&cuts)
		if err == pgx.ErrNoRows {
			return nil
		}
		return err
	}
	var err error
	if t.trust == trust.Watched {
		// Where the guard is refused it will be when the rows are read, and they are read whole.
		_, err = d.guard.During(ctx, asTable(r), sample)
	} else {
		err = sample(d.conn)
	}
	if err != nil {
		return nil, err
	}
	cuts = slices.Compact(cuts)
	var clauses []string
	for i := range len(cuts) + 1 {
		var conditions []string
		if i > 0 {
			conditions = append(conditions, first+" >= "+server.Literal(cuts[i-1])+"::"+t.First)
		}
		if i < len(cuts) {
			conditions = append(conditions, first+" < "+server.Literal(cuts[i])+"::"+t.First)
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
func sampleQuery(r *catalog.Relation, column string, t stored, n int) string {
	const perPiece = 4
	percent := min(100, 100*float64(perPiece*n)*8192/float64(t.bytes))
	return fmt.Sprintf("SELECT percentile_disc($1::float8[]) WITHIN GROUP (ORDER BY %s)::text[] FROM ONLY %s TABLESAMPLE SYSTEM (%g) REPEATABLE (1)",
		column, r.Name, percent)
}

// fractions returns the n-1 places that cut a whole into n equal parts.
func fractions(n int) []float64 {
	list := make([]float64, n-1)
	for i := range list {
		list[i] = float64(i+1) / float64(n)
	}
	return list
}

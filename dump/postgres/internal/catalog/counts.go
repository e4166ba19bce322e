package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// What the catalogues answer is counted a second time, in the same snapshot, by queries of another
// shape: nothing is joined, nothing is computed, and of columns it is not they that are counted. An
// answer that is short, whatever made it so (a row that lost its partner in a join, an index of a
// catalogue that lost an entry, a setting that nobody knew of), is then an error and not a dump
// without the rest.
//
// Of rows it is the server's own count that the rows are held against, for every COPY. It is made
// of the scan and not of what was sent. That a table in pieces is whole the pieces themselves see
// to: the first has no beginning, the last no end, and each begins where the one before it ends. To
// count every table once more would read all of the data twice.

// A count is how many rows a reader has had of a catalogue.
type count struct {
	what string
	got  int
	sql  string // that counts them anew, with $1 as the first OID of users and $2 as the relations that are dumped
}

// counted notes how many rows there were of what sql counts. Those that initdb made are in no
// count.
func (c *Database) counted(what string, got int, sql string) {
	c.counts = append(c.counts, count{what, got, sql})
}

// checkCounts compares.
func checkCounts(ctx context.Context, c *Database) error {
	list := make([]string, len(c.counts))
	for i, k := range c.counts {
		list[i] = "(" + k.sql + ")"
	}
	type row struct{ Counts []int }
	rows, err := server.Query[row](ctx, c.conn, "SELECT ARRAY["+strings.Join(list, ", ")+"]::int[] AS counts FROM (SELECT $1::oid, $2::oid[]) used", server.FirstNormal, c.relationOIDs())
	if err != nil {
		return err
	}
	if len(rows) != 1 || len(rows[0].Counts) != len(c.counts) {
		return errors.New("the server has not counted")
	}
	var errs []error
	for i, k := range c.counts {
		if n := rows[0].Counts[i]; n != k.got {
			errs = append(errs, fmt.Errorf("the server lists %d %s and counts %d: a part of its answer is missing", k.got, k.what, n))
		}
	}
	return errors.Join(errs...)
}

// users counts the rows of users among those that a reader had.
func users[T any](rows []T, oid func(T) uint32) (n int) {
	for _, r := range rows {
		if oid(r) >= server.FirstNormal {
			n++
		}
	}
	return n
}

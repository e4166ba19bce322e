package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// orderRows makes rows come after the rows that their foreign keys refer to, where those keys exist
// already when the rows are loaded: in a dump of data all do, in any dump those of extensions'
// tables. Tables that refer to each other in a circle have no such order: they are named in a
// warning.
func (c *Database) orderRows(rows map[*Relation]*object) {
	referred := c.referredTables()
	const (
		entered = 1
		done    = 2
	)
	visited := map[*Relation]int{}
	var path []*Relation
	var visit func(r *Relation)
	visit = func(r *Relation) {
		visited[r] = entered
		path = append(path, r)
		for _, to := range referred[r] {
			switch {
			case rows[to] == nil || to == r || !c.sel.DataOnly && !to.config:
			case visited[to] == entered:
				circle := path[slices.Index(path, to):]
				names := make([]string, len(circle))
				for i, t := range circle {
					names[i] = t.Name
				}
				c.warn("foreign keys make a circle, so these tables' rows alone may not load in any order: " + strings.Join(names, ", "))
			default:
				rows[r].need(rows[to])
				if visited[to] == 0 {
					visit(to)
				}
			}
		}
		path = path[:len(path)-1]
		visited[r] = done
	}
	for _, r := range slices.SortedFunc(maps.Keys(rows), func(a, b *Relation) int { return cmp.Compare(a.Name, b.Name) }) {
		if visited[r] == 0 && (c.sel.DataOnly || r.config) {
			visit(r)
		}
	}
}

// referredTables lists for each table that holds rows those that its foreign keys refer to;
// partitions stand in for their tables.
func (c *Database) referredTables() map[*Relation][]*Relation {
	partitions := map[*Relation][]*Relation{}
	for _, oid := range slices.Sorted(maps.Keys(c.rels)) {
		if r := c.rels[oid]; r.Partition && len(r.parents) == 1 {
			partitions[r.parents[0]] = append(partitions[r.parents[0]], r)
		}
	}
	var leaves func(r *Relation) []*Relation
	leaves = func(r *Relation) []*Relation {
		if r.Kind != partitionedTable {
			return []*Relation{r}
		}
		var all []*Relation
		for _, part := range partitions[r] {
			all = append(all, leaves(part)...)
		}
		return all
	}
	referred := map[*Relation][]*Relation{}
	for _, oid := range slices.Sorted(maps.Keys(c.rels)) {
		r := c.rels[oid]
		for _, to := range r.refers {
			for _, from := range leaves(r) {
				referred[from] = append(referred[from], leaves(to)...)
			}
		}
	}
	return referred
}

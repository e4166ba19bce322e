package postgres

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
)

// inOrder returns the objects in an order in which each comes after all that it
// needs, and among those that are free to come in any order by kind and name:
// the same database gives the same order. Cycles are broken where SQL has a way
// to make a part of an object later; objects made for such parts are in the
// result.
func inOrder(objects []*object) ([]*object, error) {
	begin := &object{kind: kindDataBegins, hidden: true}
	end := &object{kind: kindDataEnds, hidden: true}
	end.need(begin)
	g := &graph{begin: begin, end: end}
	g.add(begin)
	g.add(end)
	for _, o := range objects {
		g.add(o)
	}
	g.breakPairs()
	for {
		sorted := g.sort()
		if len(sorted) == len(g.objects) {
			return slices.DeleteFunc(sorted, g.boundary), nil
		}
		cycle := g.cycle(sorted)
		if !g.repair(cycle) {
			return nil, fmt.Errorf("cannot order objects that depend on each other: %s", names(cycle))
		}
	}
}

// A graph holds the objects and the two boundaries between the sections.
type graph struct {
	objects    []*object
	begin, end *object
}

// add takes o in and ties it to the boundaries of its section.
func (g *graph) add(o *object) {
	g.objects = append(g.objects, o)
	if g.boundary(o) {
		return
	}
	switch o.section() {
	case beforeData:
		g.begin.awaits(o)
	case inData:
		o.need(g.begin)
		g.end.awaits(o)
	case afterData:
		o.need(g.end)
	}
}

// awaits makes the boundary o come after to, which it does not yet: looking for that among all objects of a section
// would take the square of their number.
func (o *object) awaits(to *object) { o.deps = append(o.deps, dependency{to, o.address}) }

// boundary tells whether o stands between two sections.
func (g *graph) boundary(o *object) bool { return o == g.begin || o == g.end }

// breakPairs breaks the cycles of two, by far the most common: each column with
// a sequence of its own makes one. Doing them at once keeps the ordering of ten
// thousand tables in linear time.
func (g *graph) breakPairs() {
	for _, o := range slices.Clone(g.objects) {
		if g.boundary(o) {
			continue
		}
		for _, d := range slices.Clone(o.deps) {
			if !g.boundary(d.to) && slices.ContainsFunc(d.to.deps, func(back dependency) bool { return back.to == o }) {
				g.repairEdge(o, d.to)
			}
		}
	}
}

// sort is Kahn's algorithm with a priority queue. Objects on a cycle, and those
// behind one, are missing from the result.
func (g *graph) sort() []*object {
	waiting := make(map[*object]int, len(g.objects))
	dependents := make(map[*object][]*object, len(g.objects))
	var free queue
	for _, o := range g.objects {
		waiting[o] = len(o.deps)
		for _, d := range o.deps {
			dependents[d.to] = append(dependents[d.to], o)
		}
		if len(o.deps) == 0 {
			free = append(free, o)
		}
	}
	heap.Init(&free)
	sorted := make([]*object, 0, len(g.objects))
	for len(free) > 0 {
		o := heap.Pop(&free).(*object)
		sorted = append(sorted, o)
		for _, d := range dependents[o] {
			if waiting[d]--; waiting[d] == 0 {
				heap.Push(&free, d)
			}
		}
	}
	return sorted
}

// cycle returns a shortest cycle among the objects that are not in sorted: each
// needs the next, and the last the first.
func (g *graph) cycle(sorted []*object) []*object {
	done := make(map[*object]bool, len(sorted))
	for _, o := range sorted {
		done[o] = true
	}
	var best []*object
	for _, o := range g.objects {
		if done[o] {
			continue
		}
		if c := shortestCycle(o, done, len(best)); c != nil {
			best = c
			if len(best) == 2 {
				break
			}
		}
	}
	return best
}

// shortestCycle searches breadth first for a way from start back to itself that
// is shorter than limit (0: any).
func shortestCycle(start *object, done map[*object]bool, limit int) []*object {
	from := map[*object]*object{}
	level := []*object{start}
	for depth := 1; len(level) > 0 && (limit == 0 || depth < limit); depth++ {
		var next []*object
		for _, o := range level {
			for _, d := range o.deps {
				if done[d.to] {
					continue
				}
				if d.to == start {
					var c []*object
					for at := o; at != nil; at = from[at] {
						c = append(c, at)
					}
					slices.Reverse(c)
					return c
				}
				if _, seen := from[d.to]; !seen {
					from[d.to] = o
					next = append(next, d.to)
				}
			}
		}
		level = next
	}
	return nil
}

// repair breaks a cycle by the first of the ways that fits. It reports false
// where there is none.
func (g *graph) repair(cycle []*object) bool {
	for i, o := range cycle {
		if g.repairEdge(o, cycle[(i+1)%len(cycle)]) {
			return true
		}
	}
	for i, o := range cycle {
		// The cycle runs from the first boundary through this object: it needs
		// something that exists only after the rows.
		if next := cycle[(i+1)%len(cycle)]; o == g.begin && postponable(next) {
			g.begin.drop(next)
			next.late = true
			next.need(g.end)
			return true
		}
	}
	return false
}

// repairEdge does away with o's need for next where SQL has a way: a type's
// function needs only the shell of the type, and a part that has the need can
// be made later.
func (g *graph) repairEdge(o, next *object) bool {
	if o.kind == kindFunction && next.shell != nil {
		if !slices.Contains(g.objects, next.shell) {
			next.shell.hidden = next.hidden
			g.add(next.shell)
			next.need(next.shell)
		}
		o.drop(next)
		o.need(next.shell)
		return true
	}
	for _, d := range o.deps {
		if split, ok := o.parts[d.via]; ok && d.to == next {
			g.split(o, d.via, split)
			return true
		}
	}
	return false
}

// postponable tells whether an object may be made after the rows: those that
// hold none and that are read by none of the tables that do.
func postponable(o *object) bool {
	return o.kind == kindFunction || o.word == "MATERIALIZED VIEW" || o.word == "VIEW"
}

// split takes the part via out of o: what it needs moves with it, and it needs o.
func (g *graph) split(o *object, via address, split func() *object) {
	delete(o.parts, via)
	part := split()
	part.need(o)
	o.deps = slices.DeleteFunc(o.deps, func(d dependency) bool {
		if d.via == via {
			part.need(d.to)
		}
		return d.via == via
	})
	g.add(part)
}

// names lists objects for an error message.
func names(objects []*object) string {
	list := make([]string, len(objects))
	for i, o := range objects {
		list[i] = strings.TrimSpace(strings.ToLower(o.word) + " " + o.name)
	}
	return strings.Join(list, ", ")
}

// queue is a heap of objects that are free to be dumped.
type queue []*object

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*object)) }

func (q queue) Less(i, j int) bool {
	return cmp.Or(
		cmp.Compare(q[i].kind, q[j].kind),
		cmp.Compare(q[i].name, q[j].name),
		cmp.Compare(q[i].word, q[j].word),
		cmp.Compare(q[i].oid, q[j].oid)) < 0
}

func (q *queue) Pop() any {
	old := *q
	o := old[len(old)-1]
	*q = old[:len(old)-1]
	return o
}

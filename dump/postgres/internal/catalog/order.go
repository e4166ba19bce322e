package catalog

import (
	"cmp"
	"container/heap"
	"slices"
)

// inOrder returns the objects in an order in which each comes after all that it needs, and among
// those that are free to come in any order by kind and name: the same database gives the same
// order. Cycles are broken where SQL has a way to make a part of an object later; objects made for
// such parts are in the result. Where it has none, one object of the cycle is told why it cannot be
// made.
func inOrder(objects []*object) []*object {
	begin := &object{kind: kindDataBegins, state: given}
	end := &object{kind: kindDataEnds, state: given}
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
			return slices.DeleteFunc(sorted, g.boundary)
		}
		if cycle := g.cycle(sorted); !g.repair(cycle) {
			g.leaveOne(cycle)
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

// awaits makes the boundary o come after to, which it does not yet: looking for that among all
// objects of a section would take the square of their number.
func (o *object) awaits(to *object) { o.deps = append(o.deps, dependency{to, o.Address}) }

// boundary tells whether o stands between two sections.
func (g *graph) boundary(o *object) bool { return o == g.begin || o == g.end }

// sort is Kahn's algorithm with a priority queue. Objects on a cycle, and those behind one, are
// missing from the result.
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

// byKindAndName compares objects by what is the same in every copy of a database, unlike their
// addresses.
func byKindAndName(a, b *object) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.word, b.word))
}

// queue is a heap of objects that are free to be dumped.
type queue []*object

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*object)) }

func (q queue) Less(i, j int) bool {
	return cmp.Or(byKindAndName(q[i], q[j]), cmp.Compare(q[i].OID, q[j].OID)) < 0
}

func (q *queue) Pop() any {
	old := *q
	o := old[len(old)-1]
	*q = old[:len(old)-1]
	return o
}

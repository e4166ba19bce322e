package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// breakPairs breaks the cycles of two, by far the most common: each column with a sequence of its
// own makes one. Doing them at once keeps the ordering of ten thousand tables in linear time.
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

// cycle returns a shortest cycle among the objects that are not in sorted: each needs the next, and
// the last the first.
func (g *graph) cycle(sorted []*object) []*object {
	done := make(map[*object]bool, len(sorted))
	for _, o := range sorted {
		done[o] = true
	}
	left := slices.DeleteFunc(slices.Clone(g.objects), func(o *object) bool { return done[o] })
	slices.SortStableFunc(left, byKindAndName)
	for _, o := range left {
		slices.SortStableFunc(o.deps, func(a, b dependency) int { return byKindAndName(a.to, b.to) })
	}
	var best []*object
	for _, o := range left {
		if c := shortestCycle(o, done, len(best)); c != nil {
			best = c
			if len(best) == 2 {
				break
			}
		}
	}
	return best
}

// shortestCycle searches breadth first for a way from start back to itself that is shorter than
// limit (0: any).
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

// repair breaks a cycle by the first of the ways that fits. It reports false where there is none.
func (g *graph) repair(cycle []*object) bool {
	for i, o := range cycle {
		if g.repairEdge(o, cycle[(i+1)%len(cycle)]) {
			return true
		}
	}
	for i, o := range cycle {
		// The cycle runs from the first boundary through this object: it needs something that
		// exists only after the rows.
		if next := cycle[(i+1)%len(cycle)]; o == g.begin && next.postponable() {
			g.begin.drop(next)
			next.late = true
			next.need(g.end)
			return true
		}
	}
	return g.stubOne(cycle)
}

// stubOne makes one of the functions in a cycle by a stub, if what it needs of the next is not for
// its signature.
func (g *graph) stubOne(cycle []*object) bool {
	var stubbed *object
	for i, o := range cycle {
		next := cycle[(i+1)%len(cycle)]
		signature := slices.Contains(o.deps, dependency{next, o.Address})
		if o.stub != nil && !signature && (stubbed == nil || byKindAndName(o, stubbed) < 0) {
			stubbed = o
		}
	}
	if stubbed == nil {
		return false
	}
	whole := g.split(stubbed, Address{classBody, stubbed.OID}, stubbed.stub)
	// Whoever uses the function gets it whole, but those that it is made of.
	needed := whole.all()
	for o := range g.users(stubbed) {
		switch {
		case o == whole:
		case !needed[o]:
			o.need(whole)
		case o.section() == beforeData && !o.postponable():
			whole.early = true
		}
	}
	return true
}

// users returns who needs o, who needs those, and so on.
func (g *graph) users(o *object) map[*object]bool {
	of := map[*object][]*object{}
	for _, user := range g.objects {
		for _, d := range user.deps {
			of[d.to] = append(of[d.to], user)
		}
	}
	seen := map[*object]bool{}
	for rest := []*object{o}; len(rest) > 0; {
		at := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		for _, user := range of[at] {
			if !seen[user] && !g.boundary(user) {
				seen[user] = true
				rest = append(rest, user)
			}
		}
	}
	return seen
}

// all returns what o needs, what that needs, and so on.
func (o *object) all() map[*object]bool {
	seen := map[*object]bool{}
	for rest := []*object{o}; len(rest) > 0; {
		at := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		for _, d := range at.deps {
			if !seen[d.to] {
				seen[d.to] = true
				rest = append(rest, d.to)
			}
		}
	}
	return seen
}

// leaveOne gives up one object of a cycle that cannot be broken: one that holds no rows, if there
// is one. Those in the cycle that need it go with it.
func (g *graph) leaveOne(cycle []*object) {
	members := slices.DeleteFunc(slices.Clone(cycle), g.boundary)
	rank := func(o *object) int {
		switch {
		case o.state.hidden(): // the dump does not make it anyway
			return 0
		case o.kind < kindDataBegins && o.word != "TABLE":
			return 1
		case o.kind < kindDataBegins:
			return 2
		}
		return 3 // where the cycle goes through the rows, this is on their right side
	}
	victim := slices.MinFunc(members, func(a, b *object) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), byKindAndName(a, b))
	})
	if !victim.state.hidden() {
		victim.why = fmt.Errorf("these need each other, and there is no order to make them in: %s", names(members))
	}
	victim.deps = slices.DeleteFunc(victim.deps, func(d dependency) bool { return !g.boundary(d.to) || victim.late })
	victim.late, victim.parts, victim.stub = false, nil, nil
}

// repairEdge does away with o's need for next where SQL has a way: a type's function needs only the
// shell of the type, and a part that has the need can be made later.
func (g *graph) repairEdge(o, next *object) bool {
	if o.kind == kindFunction && next.shell != nil {
		if !slices.Contains(g.objects, next.shell) {
			next.shell.state = next.state.ofPart()
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

// postponable tells whether an object may be made after the rows: those that hold none and by which
// none are computed. What holds rows and needs it is on the cycle too, then.
func (o *object) postponable() bool {
	switch o.kind {
	case kindSchema, kindExtension, kindLargeObject, kindTableAttach:
		return false
	case kindTable:
		return o.word == "MATERIALIZED VIEW" || o.word == "VIEW"
	}
	return !o.early && o.section() == beforeData
}

// split takes the part via out of o and returns it: what it needs moves with it, and it needs o.
func (g *graph) split(o *object, via Address, split func() *object) *object {
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
	return part
}

// names lists objects for an error message.
func names(objects []*object) string {
	list := make([]string, len(objects))
	for i, o := range objects {
		list[i] = strings.TrimSpace(strings.ToLower(o.word) + " " + o.Name)
	}
	return strings.Join(list, ", ")
}

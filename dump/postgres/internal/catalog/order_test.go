package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func obj(k kind, name string, needs ...*object) *object {
	o := &object{Address: Address{class: uint32(k) + 1, OID: uint32(len(name))<<16 + uint32(name[len(name)-1])}, kind: k, Name: name}
	for _, n := range needs {
		o.need(n)
	}
	return o
}

func TestInOrderKeepsNeedsAndSections(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var objects []*object
		for i := range 40 {
			kinds := []kind{kindSchema, kindType, kindFunction, kindTable, kindTableData, kindConstraint, kindIndex, kindTrigger}
			o := &object{Address: Address{1, uint32(i)}, kind: kinds[rnd.IntN(len(kinds))], Name: fmt.Sprint("o", i)}
			for range rnd.IntN(4) {
				if i == 0 {
					break
				}
				if to := objects[rnd.IntN(i)]; to.section() <= o.section() {
					o.need(to)
				}
			}
			objects = append(objects, o)
		}
		first := inOrder(objects)
		at := map[*object]int{}
		for i, o := range first {
			at[o] = i
		}
		last := beforeData
		for i, o := range first {
			if o.section() < last {
				t.Fatalf("seed %d: %s comes after a later section", seed, o.Name)
			}
			last = o.section()
			for _, d := range o.deps {
				if j, ok := at[d.to]; ok && j > i {
					t.Fatalf("seed %d: %s comes before %s, which it needs", seed, o.Name, d.to.Name)
				}
			}
		}
	}
}

func TestInOrderIgnoresTheOrderGiven(t *testing.T) {
	build := func() []*object {
		s := obj(kindSchema, "s")
		a, b := obj(kindTable, "s.a", s), obj(kindTable, "s.b", s)
		f := obj(kindFunction, "s.f", s, b)
		return []*object{s, a, b, f, obj(kindIndex, "s.i", a), obj(kindIndex, "s.h", b)}
	}
	var want string
	for range 20 {
		objects := build()
		rand.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		sorted := inOrder(objects)
		if got := nameList(sorted); want == "" {
			want = got
		} else if got != want {
			t.Fatalf("order %s, before it was %s", got, want)
		}
	}
	if want != "s s.a s.b s.f s.h s.i" {
		t.Errorf("order %s", want)
	}
}

func nameList(objects []*object) string {
	var list []string
	for _, o := range objects {
		list = append(list, o.Name)
	}
	return strings.Join(list, " ")
}

// A column whose default takes from a sequence that belongs to the column: the default is made
// after both.
func TestInOrderTakesAPartOut(t *testing.T) {
	table, seq := obj(kindTable, "t"), obj(kindTable, "t_seq")
	part := Address{classAttrDef, 99}
	table.part(part, func() *object { return &object{Address: part, kind: kindDefault, Name: "default"} })
	table.needVia(seq, part)
	seq.need(table)
	sorted := inOrder([]*object{seq, table})
	if got := nameList(sorted); got != "t t_seq default" {
		t.Errorf("order %s", got)
	}
}

func TestInOrderPostponesWhatNeedsAKey(t *testing.T) {
	table := obj(kindTable, "t")
	key := obj(kindConstraint, "t_key", table)
	grouped := obj(kindTable, "view", table, key)
	grouped.word = "MATERIALIZED VIEW"
	above := obj(kindFunction, "above", grouped)
	sorted := inOrder([]*object{above, grouped, key, table})
	if got := nameList(sorted); got != "t t_key view above" {
		t.Errorf("order %s", got)
	}
	if !grouped.late || !above.late {
		t.Errorf("late: view %v, above %v; want both", grouped.late, above.late)
	}
}

func TestInOrderNamesACycleItCannotBreak(t *testing.T) {
	a, b := obj(kindOperator, "a"), obj(kindOperator, "b")
	a.need(b)
	b.need(a)
	sorted := inOrder([]*object{a, b, obj(kindTable, "dependent", a), obj(kindTable, "innocent")})
	if got := nameList(sorted); got != "a b dependent innocent" {
		t.Errorf("order %s", got)
	}
	if err := a.why; err == nil || !strings.Contains(err.Error(), "need each other") || !strings.Contains(err.Error(), ": a, b") {
		t.Errorf("unordered: %v", err)
	}
	if b.why != nil {
		t.Errorf("the other: %v", b.why)
	}
}

func TestInOrderOfManyTablesWithSequences(t *testing.T) {
	var objects []*object
	for i := range 20_000 {
		table := &object{Address: Address{1, uint32(2 * i)}, kind: kindTable, Name: fmt.Sprint("t", i)}
		seq := &object{Address: Address{1, uint32(2*i + 1)}, kind: kindTable, Name: fmt.Sprint("s", i)}
		part := Address{classAttrDef, uint32(i)}
		table.part(part, func() *object { return &object{Address: part, kind: kindDefault, Name: fmt.Sprint("d", i)} })
		table.needVia(seq, part)
		seq.need(table)
		objects = append(objects, table, seq)
	}
	sorted := inOrder(objects)
	if len(sorted) != 60_000 {
		t.Fatalf("%d objects", len(sorted))
	}
	if !slices.IsSortedFunc(sorted, func(a, b *object) int { return int(a.section()) - int(b.section()) }) {
		t.Error("sections are mixed")
	}
}

// The stub of a function by which rows are computed is never made whole after them.
func TestInOrderPostponesNoBodyThatRowsNeed(t *testing.T) {
	function, key := obj(kindFunction, "f"), obj(kindConstraint, "key")
	read := obj(kindTable, "read")
	table := obj(kindTable, "t", function)
	view := obj(kindTable, "view", key)
	read.word, table.word, view.word = "TABLE", "TABLE", "MATERIALIZED VIEW"
	function.stub = func() *object {
		return &object{Address: Address{classBody, function.OID}, kind: kindFunction, Name: "whole f"}
	}
	key.need(read)
	for _, o := range []*object{table, view} {
		function.needVia(o, Address{classBody, function.OID})
	}
	sorted := inOrder([]*object{function, key, read, table, view})
	at := func(name string) int { return slices.IndexFunc(sorted, func(o *object) bool { return o.Name == name }) }
	whole := sorted[at("whole f")]
	if !whole.early || whole.late || whole.why == nil && view.why == nil {
		t.Errorf("order %s: the function is made whole after the rows, or nothing is left out", nameList(sorted))
	}
}

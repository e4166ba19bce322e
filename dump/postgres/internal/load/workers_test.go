package load

import (
	"slices"
	"testing"
)

// Of what waits the longest begins first, but for what needs what came before it.
func TestLongestFirst(t *testing.T) {
	wait := func(name string, over int64, touches ...touch) *job {
		return &job{plan: plan{kind: builds, setting: name, touches: touches}, over: over}
	}
	alone := func(table string) touch { return touch{relation: table} }
	w := &workers{busy: map[*session]*job{{}: wait("running", 1, alone("busy"))}}
	w.waiting = []*job{
		wait("key of small", 5, alone("small")), wait("index of large", 50, touch{"large", true}), wait("another", 50, touch{"large", true}),
		wait("foreign key to small", 50, alone("large"), alone("small")), wait("behind what runs", 90, alone("busy")), wait("key of largest", 70, alone("largest")),
	}
	var got []string
	for _, j := range w.ready() {
		got = append(got, j.plan.setting)
	}
	if want := []string{"key of largest", "index of large", "another", "key of small"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

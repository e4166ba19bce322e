package catalog

import "testing"

// What an object's state makes of the object, and of those around it.
func TestState(t *testing.T) {
	for _, tt := range []struct {
		name                                   string
		is                                     state
		hidden, granted, unselected, unmanaged bool
		toOthers, inside, ofPart               state
	}{
		{"wanted", wanted, false, true, false, false, given, wanted, wanted},
		{"tied", tied, false, false, true, false, mute, tied, wanted},
		{"given", given, true, true, false, true, given, wanted, given},
		{"mute", mute, true, false, false, true, mute, wanted, given},
		{"unasked", unasked, true, false, true, false, mute, unasked, given},
		{"barred", barred, true, false, true, false, mute, barred, given},
		{"lost", lost, false, false, false, false, mute, wanted, wanted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s := tt.is; s.hidden() != tt.hidden || s.granted() != tt.granted || s.unselected() != tt.unselected || s.unmanaged() != tt.unmanaged {
				t.Errorf("hidden %t, granted %t, unselected %t, unmanaged %t", s.hidden(), s.granted(), s.unselected(), s.unmanaged())
			}
			if s := tt.is; s.toOthers() != tt.toOthers || s.inside() != tt.inside || s.ofPart() != tt.ofPart {
				t.Errorf("to others %d, inside it %d, a part of it %d", s.toOthers(), s.inside(), s.ofPart())
			}
		})
	}
}

// An identity's sequence is made where its table is, whatever was asked for, and else by nobody.
func TestStateOfIdentity(t *testing.T) {
	for _, tt := range []struct{ sequence, table, want state }{
		{wanted, wanted, wanted},
		{barred, wanted, tied},
		{wanted, given, given},
		{barred, given, barred},
	} {
		if got := tt.sequence.withTable(tt.table); got != tt.want {
			t.Errorf("%d with a table that is %d: %d, want %d", tt.sequence, tt.table, got, tt.want)
		}
	}
}

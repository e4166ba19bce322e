package catalog

// A state is what becomes of an object in the dump: whether it is made and, if not, why not. The
// selection settles it before anything is ordered. After that an object that would be made can only
// turn into one that is lost, and only when its turn comes to be written: a dump of data alone
// writes no definitions and so loses none, and its rows go into tables that are there.
type state int

const (
	wanted state = iota // the dump makes it
	// tied is an identity's sequence that the selection leaves out: a statement of its table makes
	// it all the same. Where it stands is dumped; what was granted on it is not, nor any definition
	// that needs it.
	tied
	// given is made by others than the dump, the server or an extension, or is a part of what is
	// not made. Those that need it come after it as if it were made. What was granted on it is
	// dumped.
	given
	mute    // as given, but what was granted on it is not dumped
	unasked // the selection leaves it out, unless something that is dumped needs it
	barred  // the selection leaves it out, or it needs something that is left out
	lost    // it is left out: there is no order for it, or no SQL, or it needs one that is lost; why says which
)

// hidden tells whether the dump does not make the object, and is not meant to.
func (s state) hidden() bool { return s != wanted && s != tied && s != lost }

// granted tells whether what was granted on the object is dumped.
func (s state) granted() bool { return s == wanted || s == given }

// unselected tells whether the selection leaves the object out, and with it what needs it.
func (s state) unselected() bool { return s == tied || s == unasked || s == barred }

// unmanaged tells whether the object is as it is without the dump.
func (s state) unmanaged() bool { return s == given || s == mute }

// toOthers leaves the object to others than the dump.
func (s state) toOthers() state {
	if s.granted() {
		return given
	}
	return mute
}

// inside is the state of what is in a schema of state s: what a schema of an extension's holds need
// not be the extension's.
func (s state) inside() state {
	if s.unselected() {
		return s
	}
	return wanted
}

// ofPart is the state of a part that becomes an object of its own, of an object of state s.
func (s state) ofPart() state {
	if s.hidden() {
		return given
	}
	return wanted
}

// withTable is the state of an identity's sequence, which its table's statements make or nobody,
// where the selection says s of it by itself.
func (s state) withTable(table state) state {
	switch {
	case !table.hidden() && s.unselected():
		return tied
	case table.hidden() && s == wanted:
		return given
	}
	return s
}

package dump

// A Rehearsal is what a load of a dump would do, found out without changing anything: the dump was
// read to its end and its target looked at.
type Rehearsal struct {
	Target   Target // where it would go, and what would be dropped there
	From, To string // what the dump's server was and the target's is, with their versions; empty: it is not known

	// Tables are what would be loaded, and Bytes how many of the dump's those of each take, as far
	// as the dump says it: the entry is then not 0.
	Tables Manifest
	Bytes  []int64

	// Obstacles are why the load would not begin. Without one it would.
	Obstacles []error
	// Missing are what the target lacks and the dump refers to, each with words that say what it
	// is: "role app", "extension postgis". The statements that need them would fail.
	Missing []string
}

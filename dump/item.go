package dump

import "iter"

// An Item is one step of a dump as a reader gets it: a statement, or a table's rows. It is what
// every reader stands on that is more than a copy: a load, whole or of a part, a comparison with a
// database or with another dump.
//
// An engine reads its dumps as a sequence of items, by a function Items(io.Reader) iter.Seq2[Item,
// error]. The sequence vouches for the dump: it ends with the item whose Contents are set, or with
// an error and no more items. Whoever breaks off has seen what he has seen, of a dump that may be
// cut short behind that.
type Item struct {
	// Head is what the dump says of itself, of the first item. It has nothing else.
	Head *Head

	Kind Kind
	// Database is the one that the item is for, in a dump of several.
	Database string
	// Table is the one whose rows follow, as the manifest has its name: Table.Name. Where a dump
	// does not say it before the rows, its engine's Items says what stands here.
	Table string
	// Line is the dump's line that the item begins on, from 1. In an archive, which has no lines,
	// it is 0.
	Line int
	// Type is what an archive says that a collection is, where that is not a collection: "view",
	// "timeseries". Of a table it is empty.
	Type string
	// Text is a statement, or psql's \connect to Database; of rows it is the one that they follow
	// (COPY … FROM stdin) or, where they are in statements, what the first of these has before
	// them, if it is known. Of an archive it is the metadata of a collection, as JSON.
	Text string

	// Ours says that the statement is for this program's load alone: it stands in a comment, which
	// no other program runs.
	Ours bool

	// Blocks are the rows, of Rows alone: whole ones, as they stand in the dump, some hundred
	// kilobytes at a time and never more than one if that is longer. Where they are in statements,
	// a block is one of these. They are to be read once, before the next item is asked for, which
	// passes over the rest. A block is the sequence's and overwritten by the next.
	Blocks iter.Seq2[[]byte, error]
	// Pieces are the same rows cut anywhere, to be read in place of the blocks by whoever needs no
	// whole ones: a row that is longer than a block is then never in memory whole. nil: the engine
	// has no such rows, or has them in memory anyway.
	Pieces iter.Seq2[[]byte, error]
	// BlockLine returns the dump's line that the block begins on which came last. It is nil where
	// nobody asks: where an error of a row is not told by its line.
	BlockLine func() int
	// Sorted says that the rows are in the order of a key that tells them apart, so that their
	// place in the table matters to nobody: they are found in their order again wherever they lie.
	// Where a dump does not say so it is false.
	Sorted bool
	// Split parts a block into its rows, as they are hashed: see RowHash.
	Split func(block []byte) iter.Seq[[]byte]

	// End is what the dump says that there was of a table, of an item behind the table's rows, in
	// dumps that say so there: archives. It has nothing else but Database and Table.
	End *Table

	// Contents are the manifest, of the last item of a whole dump. It has nothing else.
	Contents *Contents
}

// A Head is what a dump says of itself before its first statement.
type Head struct {
	// Form is the dump's, of a SQL dump as its first line has it (see NewReader); empty: the dump
	// is another program's.
	Form string
	// Server is the version of the server that the dump is of, as it says it; empty: it does not
	// say.
	Server string
	// Databases are those that a dump of several names beforehand.
	Databases []string
	// Notes are what else it says there for its engine's own load, a line each.
	Notes []string
}

// Rows are those of all blocks, one by one, each as it is hashed. A row is the sequence's and
// overwritten later.
func (i Item) Rows() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for block, err := range i.Blocks {
			if err != nil {
				yield(nil, err)
				return
			}
			for row := range i.Split(block) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// Tally reads the rows of an item and says what there was.
func (i Item) Tally() (Tally, error) {
	var t Tally
	for row, err := range i.Rows() {
		if err != nil {
			return t, err
		}
		t.Add(row)
	}
	return t, nil
}

package dump

import (
	"fmt"
	"strconv"
	"strings"
)

// A Kind says what a stretch of a dump is there for. Its text is what a manifest calls it.
type Kind string

const (
	// Definitions are what makes a database and the tables in it, up to the rows of the first one,
	// and between the rows of one and the next. In an archive it is the prelude, which has indexes
	// and views too.
	Definitions Kind = "definitions"
	// Rows are one table's rows, with all that frames them, or a collection's documents.
	Rows Kind = "rows"
	// Objects are what is loaded as rows are and belongs to no table: large objects.
	Objects Kind = "objects"
	// AfterRows is what is made when rows are there: keys, indexes, foreign keys, triggers,
	// privileges; in an archive the oplog that is played over the documents.
	AfterRows Kind = "after"
)

func (k Kind) known() bool {
	return k == Definitions || k == Rows || k == Objects || k == AfterRows
}

// A Part is a stretch of a dump. A dump's parts lie one behind the other from its first byte to its
// manifest, so that a reader who wants some of them can pass over the others and stop after the
// last.
type Part struct {
	Kind Kind
	// Name is the table's, as Table.Name has it, of rows and of what is made for one table behind
	// its rows; else the database's, in a dump of several; else empty.
	Name string
	// First is the part's first byte, counted from 0, and Bytes how many there are. Both are of the
	// dump as an engine writes it, uncompressed.
	First, Bytes int64
	// Rows and Hash are what the manifest says of a part of rows, see Table.
	Rows int64
	Hash uint64
	// Frame is where the compressed frame begins that the part begins in, in bytes of the
	// compressed stream, and Skip how many bytes there are in that frame, uncompressed, before the
	// part. Both are of a dump that is compressed in frames; of another they are 0.
	Frame, Skip int64
}

// End is the byte behind the part's last one.
func (p Part) End() int64 { return p.First + p.Bytes }

// Parts are all of a dump's, in the order of the stream.
type Parts []Part

// Begin notes that a part begins at byte at, and so that the one before it ends there. What goes on
// with the same kind and name is one part, and what has no bytes is none.
func (ps *Parts) Begin(kind Kind, name string, at int64) {
	ps.end(at)
	if n := len(*ps); n > 0 && (*ps)[n-1].Kind == kind && (*ps)[n-1].Name == name {
		return
	}
	if len(*ps) == 0 {
		at = 0 // a dump's head belongs to what comes first
	}
	*ps = append(*ps, Part{Kind: kind, Name: name, First: at})
}

// end says that the last part has its last byte before at.
func (ps *Parts) end(at int64) {
	n := len(*ps)
	if n == 0 {
		return
	}
	last := &(*ps)[n-1]
	if last.Bytes = at - last.First; last.Bytes == 0 {
		*ps = (*ps)[:n-1]
	}
}

// End returns the parts of a dump whose manifest begins at byte at.
func (ps *Parts) End(at int64) Parts {
	ps.end(at)
	return *ps
}

// Locate fills in each part's Frame and Skip. frame returns, for a byte of the uncompressed stream,
// where in the compressed stream its frame begins, and which byte of the uncompressed stream is
// that frame's first.
func (ps Parts) Locate(frame func(at int64) (begins, first int64)) {
	for i := range ps {
		begins, first := frame(ps[i].First)
		ps[i].Frame, ps[i].Skip = begins, ps[i].First-first
	}
}

// partPrefix begins the line of a part in a manifest.
//
// A line has lengths and distances and no places: what is written into one table moves all that
// lies behind it, and the lines of that are to stay as they are, since what has changed is stored
// anew.
const partPrefix = "-- part "

// append writes the parts' lines.
func (ps Parts) append(to []byte) []byte {
	var frame int64
	for _, p := range ps {
		to = fmt.Appendf(to, "%s%s %+q bytes %d", partPrefix, p.Kind, p.Name, p.Bytes)
		if p.Frame > 0 || p.Skip > 0 {
			to = fmt.Appendf(to, " frame %d skip %d", p.Frame-frame, p.Skip)
		}
		frame = p.Frame
		to = append(to, '\n')
	}
	return to
}

// parse adds the part that one line of a manifest tells of, without its end of line. It reports
// false for any other line, and an error for one that is damaged.
func (ps *Parts) parse(line string) (bool, error) {
	rest, ok := strings.CutPrefix(line, partPrefix)
	if !ok {
		return false, nil
	}
	bad := func(what string) (bool, error) {
		return false, fmt.Errorf("manifest line %s: %s", shortened(line), what)
	}
	kind, rest, _ := strings.Cut(rest, " ")
	p := Part{Kind: Kind(kind)}
	if !p.Kind.known() {
		return bad("a kind of part expected")
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil || quoted[0] != '"' {
		return bad("a quoted name expected after the kind")
	}
	if p.Name, err = strconv.Unquote(quoted); err != nil {
		return bad(err.Error())
	}
	f := strings.SplitN(rest[len(quoted):], " ", 8)
	if len(f) != 3 && len(f) != 7 || f[0] != "" || f[1] != "bytes" || len(f) == 7 && (f[3] != "frame" || f[5] != "skip") {
		return bad("bytes expected after the name")
	}
	numbers := []*int64{&p.Bytes, &p.Frame, &p.Skip}
	for i := range len(f) / 2 {
		n, err := strconv.ParseInt(f[2*i+2], 10, 64)
		if err != nil || n < 0 {
			return bad(f[2*i+1] + ": a number expected")
		}
		*numbers[i] = n
	}
	if n := len(*ps); n > 0 {
		before := (*ps)[n-1]
		p.First, p.Frame = before.End(), before.Frame+p.Frame
	}
	if p.Bytes == 0 || p.End() < p.First || p.Skip > p.First || p.Frame < 0 {
		return bad("no such place")
	}
	*ps = append(*ps, p)
	return true, nil
}

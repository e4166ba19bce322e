package load

import (
	"maps"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The last build of a load is done sooner by the server's parallel workers, on processors that
// would idle: the key of 5 million rows took 1.6 s in place of 2.3, on 2 processors. Beside other
// work they gain nothing. But a dump does not say what follows: another large table or, as often,
// some small ones that sort behind it, and the end. So before rows a build is held back, until
// these are found to be many, or for a fifth of the time that it takes itself. What the sessions
// miss meanwhile they do afterwards, so that the whole load loses that time once, if it does.

// manyRows is how many bytes of rows are many. Fewer have come and gone before anything is gained
// by what goes on beside them.
const manyRows = 1 << 20

// patience is how long a build over so many bytes of rows is held back: it takes some 5 ms a MiB.
func patience(over int64) time.Duration {
	return 50*time.Millisecond + time.Duration(over>>20)*time.Millisecond
}

// comes is told what comes next, whether rows or something else.
func (w *workers) comes(rows bool) {
	w.fills, w.many = rows, false
	select {
	case <-w.long: // of rows that are done
	default:
	}
}

// heldBack is how much longer a job is held back, if it may begin but for that.
func (w *workers) heldBack(j *job) time.Duration {
	if !w.fills || w.many || j.plan.kind != builds {
		return 0
	}
	return patience(j.over) - time.Since(j.left)
}

// isOnly tells whether nothing that is still to be done takes as long as a build that begins now:
// no rows, and not all other builds together.
func (w *workers) isOnly(j *job) bool {
	if w.fills {
		return false
	}
	others := int64(0)
	for _, other := range slices.Concat(w.waiting, slices.Collect(maps.Values(w.busy))) {
		switch {
		case other.item.Kind == dump.Rows:
			return false
		case other.plan.kind == builds:
			others += other.over
		}
	}
	return others < j.over
}

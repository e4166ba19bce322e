package load

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// However much is refused, little is kept of it.
func TestRefusalsKeepLittle(t *testing.T) {
	const many, tables = 100_000, 10
	told := 0
	r := newRefusals(func(dump.Refusal) { told++ })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range many {
		r.ran()
		r.tell(dump.Refusal{Line: i, What: fmt.Sprintf("INSERT %060d", i), Table: fmt.Sprint("t", i%tables), Rows: 2, Err: fmt.Errorf("error %060d", i)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if more := int64(after.HeapAlloc) - int64(before.HeapAlloc); more > 1<<20 {
		t.Errorf("%d bytes are kept of %d refusals", more, many)
	}
	var incomplete *dump.IncompleteError
	if !errors.As(r.end(), &incomplete) || told != many || incomplete.Refused != many || len(incomplete.Missing) != tables || incomplete.Missing[0] != (dump.Table{Name: "t0", Rows: 2 * many / tables}) {
		t.Errorf("%d were told of, and the end is %+v", told, incomplete)
	}
}

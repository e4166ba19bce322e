package load

import (
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A collection into which fewer documents went than the archive holds is not filled, whatever the
// server counts.
func TestNotFilled(t *testing.T) {
	err := new(loading).filled(t.Context(), &target{kind: targetTimeSeries, inserted: 1, twice: 1}, dump.Table{Rows: 3})
	if err == nil || !strings.Contains(err.Error(), "1 documents were inserted, the dump holds 3") {
		t.Errorf("error %v, want one that tells both numbers", err)
	}
}

package load

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// tamed tells whether a statement runs in the copy of a drill, as all do in a load that is none. The
// copy must not act on what it is not: with user mappings, filling a materialized view over a
// foreign table would have another server run what its owners wrote, with the original's rights.
// Without them such a view stays empty, which is told and ends nothing.
func (s *loading) tamed(item dump.Item) bool {
	const mapping = "CREATE USER MAPPING "
	if !s.cfg.Drill || item.Kind == dump.Rows || !strings.HasPrefix(item.Text, mapping) {
		return true
	}
	of, _, _ := strings.Cut(strings.TrimSuffix(item.Text, ";"), " OPTIONS")
	s.cfg.Warn(fmt.Sprintf("line %d: left out of the drill, so that it reaches no other server: %s", item.Line, of))
	return false
}

package load

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// tamed tells whether a statement runs in the copy of a drill, as all do in a load that is none.
// The copy must not act on what it is not: with user mappings, filling a materialized view over a
// foreign table would have another server run what its owners wrote, with the original's rights.
// Without them such a view stays empty, which is told and ends nothing.
func (s *loading) tamed(item dump.Item) bool {
	if !s.cfg.Drill || item.Kind == dump.Rows {
		return true
	}
	for _, begin := range untamed {
		if strings.HasPrefix(item.Text, begin) {
			if strings.HasPrefix(begin, "CREATE ") {
				s.cfg.Warn(fmt.Sprintf("line %d: left out of the drill, whose copy acts on nothing: %s", item.Line, described(item.Text)))
			}
			return false
		}
	}
	return true
}

// untamed begin the statements that are left out of a drill: user mappings; subscriptions, which a
// database cannot be dropped with; event triggers, which could keep it from being dropped; and what
// is said of them.
var untamed = []string{
	"CREATE USER MAPPING ",
	"CREATE SUBSCRIPTION ", "ALTER SUBSCRIPTION ", "COMMENT ON SUBSCRIPTION ",
	"CREATE EVENT TRIGGER ", "ALTER EVENT TRIGGER ", "COMMENT ON EVENT TRIGGER ",
}

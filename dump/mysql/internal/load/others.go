package load

import (
	"context"
	"errors"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// errOthers is why a statement is passed over that would change something else than it is meant
// for.
var errOthers = errors.New("it is left out, as what has that name here is not the dump's")

// attemptRun runs a statement that stands on nothing that was refused. What the server has not
// made, as something has its name, is another's under that name: on a server that takes Orders and
// orders for one, the keys and triggers of the one are not the other's, and neither is its view to
// be replaced.
func (s *loading) attemptRun(ctx context.Context, st statement) error {
	if st.rows { // which wait for their table, see take
		return s.run(ctx, st)
	}
	o := script.ObjectOf(st.sql)
	name := o.Name
	switch o.Kind {
	case "trigger":
		name = o.Table
	case "table", "view", "sequence":
	default:
		return s.run(ctx, st)
	}
	key := [2]string{s.used, name}
	if o.Database != "" {
		key[0] = o.Database
	}
	if s.others[key] {
		if err := s.plan.route(st.sql); err != nil {
			return err
		}
		s.refusals.ran()
		return &statementError{script.Head(string(st.sql)), errOthers}
	}
	err := s.run(ctx, st)
	if o.Verb == "create" && o.Kind != "trigger" && server.IsError(err, server.CodeTableExists) {
		s.others[key] = true
	}
	return err
}

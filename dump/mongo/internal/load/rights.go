package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// checkRights looks for a right that the user lacks, of all that the restore is going to do, as far
// as the server tells of rights.
func (s *loading) checkRights(ctx context.Context, drop []*target) error {
	has := s.conn.Privileges(ctx)
	if len(has) == 0 {
		return nil
	}
	var errs []error
	for _, t := range drop {
		if len(has.Lacking(func(r server.Resource) bool { return r.Holds(t.db, t.name) }, "dropCollection")) > 0 {
			errs = append(errs, fmt.Errorf("%w: %s", ErrUndroppable, shown.Name(t.namespace())))
		}
	}
	return errors.Join(append(errs, s.missing(has))...)
}

// missing names the rights that are missing for what the dump brings.
func (s *loading) missing(has server.Privileges) error {
	where := map[string][]string{} // by the actions
	lacks := func(on string, actions []string) {
		if len(actions) > 0 {
			key := strings.Join(actions, ", ")
			where[key] = append(where[key], on)
		}
	}
	for _, t := range s.plan {
		actions := slices.DeleteFunc(t.actions(), func(action string) bool {
			return s.cfg.SchemaOnly && (action == "insert" || action == "bypassDocumentValidation")
		})
		lacks(t.namespace(), has.Lacking(func(r server.Resource) bool { return r.Holds(t.db, t.name) }, actions...))
	}
	if s.users != nil && len(s.users.temporary()) > 0 {
		actions := []string{"createUser", "createRole", "grantRole", "revokeRole"}
		if s.cfg.Clean {
			actions = append(actions, "dropUser", "dropRole")
		}
		lacks("all databases", has.Lacking(server.Resource.IsAll, actions...))
	}
	if s.replays {
		lacks("the cluster", has.Lacking(func(r server.Resource) bool { return r.Cluster }, "applyOps"))
	}
	var errs []error
	for _, actions := range slices.Sorted(maps.Keys(where)) {
		errs = append(errs, fmt.Errorf("%w: %s on %s", ErrNoRight, actions, shown.Names(where[actions])))
	}
	return errors.Join(errs...)
}

// actions are those by which a collection, its documents and its indexes are made.
func (t *target) actions() []string {
	if t.kind != targetCollection { // documents of a time series go where rights have names of their own
		return []string{"createCollection"}
	}
	actions := []string{"insert"}
	if document.True(t.metadata.Options, "capped") {
		actions = append(actions, "convertToCapped")
	}
	if t.isValidated() {
		actions = append(actions, "bypassDocumentValidation")
	}
	if slices.ContainsFunc(t.metadata.Indexes, func(index bson.Raw) bool { return !definition.IsIDIndex(index) }) {
		actions = append(actions, "createIndex")
	}
	return actions
}

// isValidated tells whether the server looks at documents before it takes them.
func (t *target) isValidated() bool {
	return document.Has(t.metadata.Options, "validator") || document.Has(t.metadata.Options, "encryptedFields")
}

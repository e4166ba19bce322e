package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// ErrUndroppable is returned when a collection that is to be dropped cannot be.
// Nothing has been changed then.
var ErrUndroppable = errors.New("the user may not drop a collection that is to be dropped")

// ErrNoRight is returned when the user lacks a right without which the dump cannot
// be restored. Nothing has been changed then.
var ErrNoRight = errors.New("the user lacks rights that the restore needs")

// privileges are the user's rights, as connectionStatus shows them.
type privileges []struct {
	Resource resource `bson:"resource"`
	Actions  []string `bson:"actions"`
}

type resource struct {
	DB         *string `bson:"db"`
	Collection *string `bson:"collection"`
	Cluster    bool    `bson:"cluster"`
	Any        bool    `bson:"anyResource"`
}

// holds tells whether a resource that a right is for is a collection. Empty names
// stand for all.
func (r resource) holds(t *target) bool {
	fits := func(pattern *string, name string) bool { return pattern != nil && (*pattern == "" || *pattern == name) }
	return fits(r.DB, t.db) && fits(r.Collection, t.name)
}

// isAll tells whether a resource is all databases.
func (r resource) isAll() bool {
	return r.DB != nil && *r.DB == "" && r.Collection != nil && *r.Collection == ""
}

// lacking returns those of the actions that the user may not do where within is true.
func (p privileges) lacking(within func(resource) bool, actions ...string) []string {
	return slices.DeleteFunc(actions, func(action string) bool {
		for _, one := range p {
			if (one.Resource.Any || within(one.Resource)) && (slices.Contains(one.Actions, action) || slices.Contains(one.Actions, "anyAction")) {
				return true
			}
		}
		return false
	})
}

// checkRights looks for a right that the user lacks, of all that the restore is
// going to do, as far as the server tells of rights. A server without a user does not
// ask who somebody is, and one that lists no right at all lists none of anybody.
func (s *loading) checkRights(ctx context.Context, drop []*target) error {
	if !s.conn.server.mongod {
		return nil
	}
	var status struct {
		Info struct {
			Users      []bson.Raw `bson:"authenticatedUsers"`
			Privileges privileges `bson:"authenticatedUserPrivileges"`
		} `bson:"authInfo"`
	}
	err := s.run(ctx, "admin", bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, &status)
	if err != nil || len(status.Info.Users) == 0 || len(status.Info.Privileges) == 0 {
		return nil
	}
	has := status.Info.Privileges
	var errs []error
	for _, t := range drop {
		if len(has.lacking(func(r resource) bool { return r.holds(t) }, "dropCollection")) > 0 {
			errs = append(errs, fmt.Errorf("%w: %s", ErrUndroppable, shown.Name(t.namespace())))
		}
	}
	return errors.Join(append(errs, s.missing(has))...)
}

// missing names the rights that are missing for what the dump brings.
func (s *loading) missing(has privileges) error {
	where := map[string][]string{} // by the actions
	lacks := func(on string, actions []string) {
		if len(actions) > 0 {
			key := strings.Join(actions, ", ")
			where[key] = append(where[key], on)
		}
	}
	for _, t := range s.plan {
		lacks(t.namespace(), has.lacking(func(r resource) bool { return r.holds(t) }, t.actions()...))
	}
	if s.users != nil && len(s.users.temporary()) > 0 {
		actions := []string{"createUser", "createRole", "grantRole", "revokeRole"}
		if s.cfg.Clean {
			actions = append(actions, "dropUser", "dropRole")
		}
		lacks("all databases", has.lacking(resource.isAll, actions...))
	}
	if s.oplogOf != nil {
		lacks("the cluster", has.lacking(func(r resource) bool { return r.Cluster }, "applyOps"))
	}
	var errs []error
	for _, actions := range sortedKeys(where) {
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

package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ErrUndroppable is returned when a collection that is to be dropped cannot be.
// Nothing has been changed then.
var ErrUndroppable = errors.New("the user may not drop a collection that is to be dropped")

// A privilege is a right of the user's, as connectionStatus shows it.
type privilege struct {
	Resource struct {
		DB         *string `bson:"db"`
		Collection *string `bson:"collection"`
		Any        bool    `bson:"anyResource"`
	} `bson:"resource"`
	Actions []string `bson:"actions"`
}

// undroppable looks at all that is to be dropped for a right that the user lacks,
// as far as the server tells of rights. A user without any is one of a server that
// does not ask who somebody is.
func (s *loading) undroppable(ctx context.Context, drop []*target) error {
	if len(drop) == 0 || !s.conn.server.mongod {
		return nil
	}
	var status struct {
		Info struct {
			Users      []bson.Raw  `bson:"authenticatedUsers"`
			Privileges []privilege `bson:"authenticatedUserPrivileges"`
		} `bson:"authInfo"`
	}
	err := s.run(ctx, "admin", bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, &status)
	if err != nil || len(status.Info.Users) == 0 {
		return nil
	}
	var errs []error
	for _, t := range drop {
		if !mayDrop(status.Info.Privileges, t) {
			errs = append(errs, fmt.Errorf("%w: %s", ErrUndroppable, shown(t.namespace())))
		}
	}
	return errors.Join(errs...)
}

// mayDrop tells whether a user with these privileges may drop a collection.
func mayDrop(privileges []privilege, t *target) bool {
	fits := func(pattern *string, name string) bool { return pattern != nil && (*pattern == "" || *pattern == name) }
	return slices.ContainsFunc(privileges, func(p privilege) bool {
		on := p.Resource.Any || fits(p.Resource.DB, t.db) && fits(p.Resource.Collection, t.name)
		return on && (slices.Contains(p.Actions, "dropCollection") || slices.Contains(p.Actions, "anyAction"))
	})
}

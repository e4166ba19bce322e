package mongo

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// privileges are the user's rights, as connectionStatus shows them.
type privileges []struct {
	Resource resource `bson:"resource"`
	Actions  []string `bson:"actions"`
}

// A resource is what a right is for.
type resource struct {
	DB         *string `bson:"db"`
	Collection *string `bson:"collection"`
	Cluster    bool    `bson:"cluster"`
	Any        bool    `bson:"anyResource"`
}

// holds tells whether a resource that a right is for is a collection. Empty names
// stand for all.
func (r resource) holds(db, name string) bool {
	fits := func(pattern *string, of string) bool { return pattern != nil && (*pattern == "" || *pattern == of) }
	return fits(r.DB, db) && fits(r.Collection, name)
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

// privileges returns the user's rights, as far as the server tells of them; none: it does not. A server without a user
// does not ask who somebody is, and one that lists no right at all lists none of anybody.
func (c *conn) privileges(ctx context.Context) privileges {
	if !c.info.mongod {
		return nil
	}
	var status struct {
		Info struct {
			Users      []bson.Raw `bson:"authenticatedUsers"`
			Privileges privileges `bson:"authenticatedUserPrivileges"`
		} `bson:"authInfo"`
	}
	err := c.runLasting(ctx, "admin", bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, &status)
	if err != nil || len(status.Info.Users) == 0 || len(status.Info.Privileges) == 0 {
		return nil
	}
	return status.Info.Privileges
}

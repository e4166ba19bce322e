package server

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Privileges are the user's rights, as connectionStatus shows them.
type Privileges []struct {
	Resource Resource `bson:"resource"`
	Actions  []string `bson:"actions"`
}

// A Resource is what a right is for.
type Resource struct {
	DB         *string `bson:"db"`
	Collection *string `bson:"collection"`
	Cluster    bool    `bson:"cluster"`
	Any        bool    `bson:"anyResource"`
}

// Holds tells whether a resource that a right is for is a collection. Empty names stand for all.
func (r Resource) Holds(db, name string) bool {
	fits := func(pattern *string, of string) bool { return pattern != nil && (*pattern == "" || *pattern == of) }
	return fits(r.DB, db) && fits(r.Collection, name)
}

// IsAll tells whether a resource is all databases.
func (r Resource) IsAll() bool {
	return r.DB != nil && *r.DB == "" && r.Collection != nil && *r.Collection == ""
}

// Lacking returns those of the actions that the user may not do where within is true.
func (p Privileges) Lacking(within func(Resource) bool, actions ...string) []string {
	return slices.DeleteFunc(actions, func(action string) bool {
		for _, one := range p {
			if (one.Resource.Any || within(one.Resource)) && (slices.Contains(one.Actions, action) || slices.Contains(one.Actions, "anyAction")) {
				return true
			}
		}
		return false
	})
}

// Privileges returns the user's rights, as far as the server tells of them; none: it does not. A
// server without a user does not ask who somebody is, and one that lists no right at all lists none
// of anybody.
func (c *Conn) Privileges(ctx context.Context) Privileges {
	if !c.Info.Mongod {
		return nil
	}
	var status struct {
		Info struct {
			Users      []bson.Raw `bson:"authenticatedUsers"`
			Privileges Privileges `bson:"authenticatedUserPrivileges"`
		} `bson:"authInfo"`
	}
	err := c.RunLasting(ctx, "admin", bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}, &status)
	if err != nil || len(status.Info.Users) == 0 || len(status.Info.Privileges) == 0 {
		return nil
	}
	return status.Info.Privileges
}

package mongo

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

// authCollections, of the database admin, hold users, roles, and the version of
// their form. In an archive they stand first, where mongorestore looks for them.
var authCollections = []string{"system.users", "system.roles", "system.version"}

func isAuth(db, name string) bool { return db == "admin" && slices.Contains(authCollections, name) }

// wantsUsers tells whether users and roles of all databases are dumped.
func (s *Source) wantsUsers() bool {
	return s.cfg.Users != UsersOff && (s.cfg.Database == "" || s.cfg.Database == "admin")
}

// usersOfOne is the users and roles of the one database, under the names that
// mongodump --dumpDbUsersAndRoles gives them.
func (s *Source) usersOfOne() []*collection {
	if s.cfg.Users != UsersOn || s.cfg.Database == "" || s.cfg.Database == "admin" {
		return nil
	}
	var all []*collection
	for _, name := range authCollections {
		c := &collection{Collection: archive.Collection{DB: s.cfg.Database, Name: "$admin." + name}, fromDB: "admin", from: name, before: -1}
		if name != "system.version" {
			c.filter = bson.D{{Key: "db", Value: s.cfg.Database}}
		}
		all = append(all, c)
	}
	return all
}

// authFirst puts users and roles before all else.
func authFirst(all []*collection) []*collection {
	slices.SortStableFunc(all, func(a, b *collection) int {
		return authRank(a) - authRank(b)
	})
	return all
}

func authRank(c *collection) int {
	if i := slices.Index(authCollections, c.Name); i >= 0 && c.DB == "admin" {
		return i
	}
	return len(authCollections)
}

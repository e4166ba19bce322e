package mongo

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
)

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
	for _, name := range namespace.AuthCollections {
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
		return namespace.AuthRank(a.DB, a.Name) - namespace.AuthRank(b.DB, b.Name)
	})
	return all
}
